//! Data URLs: the media type and the base64 of what a message carries within itself.
//!
//! Not here: addresses of other kinds, and whether the base64 is sound (the provider reads it).
//!
//! Source: RFC 2397. Only the base64 form: the other is used by nobody for images and documents.

/// The parts of a data URL.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct DataUrl<'a> {
    /// Such as `image/png`, without parameters.
    pub(super) media_type: &'a str,
    /// In base64.
    pub(super) data: &'a str,
}

impl<'a> DataUrl<'a> {
    /// Reads `data:MEDIA-TYPE;base64,DATA`; `None` for anything else.
    pub(super) fn parse(url: &'a str) -> Option<Self> {
        let (head, data) = url.strip_prefix("data:")?.split_once(',')?;
        let media_type = head.strip_suffix(";base64")?.split(';').next()?;
        (!media_type.is_empty()).then_some(Self { media_type, data })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(url: &str, expected: Option<(&str, &str)>) {
        let found = DataUrl::parse(url).map(|url| (url.media_type, url.data));
        assert_eq!(found, expected, "{url}");
    }

    #[test]
    fn a_data_url_has_a_media_type_and_base64() {
        check("data:image/png;base64,AAA=", Some(("image/png", "AAA=")));
        check(
            "data:text/plain;charset=utf-8;base64,aGk=",
            Some(("text/plain", "aGk=")),
        );
        check("data:text/plain,hi", None);
        check("data:;base64,aGk=", None);
        check("https://example.org/a.png", None);
    }
}

//! Terms: each is a link where the page first uses it, and explained at the end.
//!
//! Invariants: a term is linked once; a word inside a longer term is not taken for itself; the list
//! holds every term that was linked, in the order of the page, and all terms of the document.
//!
//! Not here: the page's own terms (`vocabulary`).

use super::markup::{Element, Node};
use super::model::Term;
use super::vocabulary::VOCABULARY;

/// Terms and which of them the page has used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Glossary {
    /// The longest first, so that it is found before a word that it holds.
    terms: Vec<Term>,
    /// Indices into `terms`, in the order in which they were met.
    met: Vec<usize>,
}

impl Glossary {
    /// The document's terms, and the page's own that the document does not explain itself.
    pub(crate) fn new(own: &[Term]) -> Self {
        let mut terms = own.to_vec();
        for (word, meaning) in VOCABULARY {
            if !own.iter().any(|t| t.word.eq_ignore_ascii_case(word)) {
                terms.push(Term {
                    word: word.into(),
                    meaning: meaning.into(),
                });
            }
        }
        terms.retain(|t| !t.word.is_empty());
        terms.sort_by_key(|t| std::cmp::Reverse(t.word.len()));
        Self {
            terms,
            met: Vec::new(),
        }
    }

    /// Text with a link at each term that the page has not used before.
    pub(crate) fn link(&mut self, text: &str) -> Vec<Node> {
        let mut nodes = Vec::new();
        let (mut plain, mut at) = (0, 0);
        while at < text.len() {
            let Some((index, length)) = self.found(text, at) else {
                at += text[at..].chars().next().map_or(1, char::len_utf8);
                continue;
            };
            if !self.met.contains(&index) {
                self.met.push(index);
                nodes.push(Node::Text(text[plain..at].to_owned()));
                let link = Element::new("a")
                    .class("term")
                    .set("href", format_args!("#term-{index}"));
                nodes.push(link.text(&text[at..at + length]).into());
                plain = at + length;
            }
            at += length;
        }
        nodes.push(Node::Text(text[plain..].to_owned()));
        nodes.retain(|node| !matches!(node, Node::Text(text) if text.is_empty()));
        nodes
    }

    /// The longest term that begins at this byte, and the length of the word found, plural and all.
    fn found(&self, text: &str, at: usize) -> Option<(usize, usize)> {
        let word = |c: char| c.is_alphanumeric() || c == '_';
        if text[..at].chars().next_back().is_some_and(word) {
            return None;
        }
        let rest = &text[at..];
        self.terms.iter().enumerate().find_map(|(index, term)| {
            let head = rest.get(..term.word.len())?;
            let tail = &rest[term.word.len()..];
            let plural = if tail.starts_with('s') { 1 } else { 0 };
            let ends = !tail[plural..].starts_with(word);
            (ends && head.eq_ignore_ascii_case(&term.word)).then(|| (index, head.len() + plural))
        })
    }

    /// The list of terms; explaining one may bring in another.
    pub(crate) fn list(mut self, own: &[Term]) -> Element {
        for term in own {
            let index = self.terms.iter().position(|t| t == term);
            if let Some(index) = index.filter(|i| !self.met.contains(i)) {
                self.met.push(index);
            }
        }
        let mut list = Element::new("dl").class("terms");
        let mut next = 0;
        while let Some(index) = self.met.get(next).copied() {
            next += 1;
            let Some(term) = self.terms.get(index).cloned() else {
                continue;
            };
            let word = Element::new("dt").set("id", format_args!("term-{index}"));
            let meaning = Element::new("dd").add_all(self.link(&term.meaning));
            let pair = Element::new("div").add(word.text(&term.word)).add(meaning);
            list = list.add(pair);
        }
        list
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &[&str]) {
        let mut glossary = Glossary::new(&[]);
        let nodes = glossary.link(text);
        let linked: Vec<String> = nodes
            .iter()
            .filter_map(|node| match node {
                Node::Element(element) => Some(element.plain()),
                _ => None,
            })
            .collect();
        assert_eq!(linked, expected);
        let whole = Element::new("p").add_all(nodes).plain();
        assert_eq!(whole, text, "linking must not change the text");
    }

    #[test]
    fn the_first_use_of_a_term_is_linked() {
        check("An arm is an arm.", &["arm"]);
        check("Arms and signals", &["Arms", "signals"]);
        check("harm, army, signalled", &[]);
        check("", &[]);
    }

    #[test]
    fn a_word_inside_a_longer_term_is_not_taken_for_itself() {
        check("a fixed arm", &["fixed arm"]);
        check("the logged probability", &["logged probability"]);
    }

    #[test]
    fn letters_of_any_length_are_stepped_over() {
        check("\u{fc}ber \u{1f600} arm\u{fc}", &[]);
        check("\u{1f600}arm", &["arm"]);
    }

    #[test]
    fn explaining_a_term_brings_in_the_terms_it_uses_and_the_document_wins() {
        let own = [Term {
            word: "Arm".into(),
            meaning: "mine, with a scorecard".into(),
        }];
        let mut glossary = Glossary::new(&own);
        let _ = glossary.link("arm");
        let text = glossary.list(&own).plain();
        assert!(
            text.starts_with("Armmine, with a scorecardscorecardThe file"),
            "{text}"
        );
        assert!(!text.contains("one of the things"), "{text}");
    }
}

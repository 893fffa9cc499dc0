//! Pages: pieces of the learner's state that are too many for memory, in files beside the checkpoints.
//!
//! Layout of `pages-{number}.bin`: page after page, each length u32 | crc32 u32 | payload; the crc covers
//! magic, version, number of the file, offset of the page and payload. Little-endian.
//!
//! Invariants: a page is never changed where it lies, a changed one is written anew; what [`Pages::sync`]
//! covered survives a power cut; a file that it did not cover, or failed for, gets no more pages, and one that
//! it failed for is not relied on ([`Pages::is_doubtful`]); a place names its content by its checksum, so that a
//! file of the same number, as a later process may begin where one was removed, is not taken for it. A file that is
//! open here is readable for as long as it is, whoever removes it. A page that cannot be read again and again is
//! damaged: no start and no wait mends a bad sector.
//!
//! Not here: what is in a page, and which files are still spoken of (`learn`).
//!
//! Units: bytes.

use super::Error;
use super::disk::{Disk, DiskFile};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

const MAGIC: &[u8; 8] = b"BWPAGES1";
const HEAD: usize = 8;

/// Readings of one page that fail, with none between that does not, after which it counts as damaged.
const TRIES: u32 = 5;

/// Where a page lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// Number of the file.
    pub file: u64,
    /// First byte.
    pub offset: u64,
    /// Bytes of its payload.
    pub length: u32,
    /// The crc of what lies there.
    pub crc: u32,
}

impl Place {
    /// The first byte after it.
    pub fn end(&self) -> u64 {
        self.offset.saturating_add(self.bytes())
    }

    /// What it takes on disk.
    pub fn bytes(&self) -> u64 {
        u64::from(self.length) + HEAD as u64
    }

    /// The name of a file.
    pub fn file_name(file: u64) -> String {
        name(file)
    }

    /// What is said where its content does not hold.
    pub fn damaged(&self) -> Error {
        Error::Page {
            file: name(self.file),
            offset: self.offset,
        }
    }
}

/// Page files on a disk, of one writer.
#[derive(Debug)]
pub struct Pages {
    disk: Arc<dyn Disk>,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    files: BTreeMap<u64, Held>,
    /// The file that is written to.
    draft: Option<u64>,
    /// The highest number that was given.
    given: u64,
    /// Files of which a sync failed.
    doubtful: BTreeSet<u64>,
    /// How many readings in a row failed, by file and offset of the page.
    failing: BTreeMap<(u64, u64), u32>,
}

#[derive(Debug, Clone)]
struct Held {
    file: Arc<dyn DiskFile>,
    end: u64,
}

impl Pages {
    /// Pages on `disk`; nothing is read yet.
    pub fn new(disk: Arc<dyn Disk>) -> Self {
        Self {
            disk,
            state: Mutex::default(),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Opens a file that was written before, which must have all bytes up to `end`.
    pub fn open(&self, file: u64, end: u64) -> Result<(), Error> {
        let text = name(file);
        let failed = |e| Error::io("open", &text, e);
        let opened = self.disk.open(&text).map_err(failed)?;
        let size = opened.size().map_err(failed)?;
        if size < end {
            return Err(Error::Page {
                file: text,
                offset: size,
            });
        }
        let held = Held {
            file: opened,
            end: size,
        };
        self.state().files.insert(file, held);
        Ok(())
    }

    /// Writes a page: it is readable at once, and on disk after [`Pages::sync`].
    pub fn write(&self, payload: &[u8]) -> Result<Place, Error> {
        let mut state = self.state();
        let (file, held) = self.draft(&mut state)?;
        let length = u32::try_from(payload.len()).map_err(|_| Error::TooLarge {
            bytes: payload.len(),
            limit: u32::MAX as usize,
        })?;
        let place = Place {
            file,
            offset: held.end,
            length,
            crc: checksum(file, held.end, payload),
        };
        let mut bytes = Vec::with_capacity(HEAD + payload.len());
        bytes.extend_from_slice(&length.to_le_bytes());
        bytes.extend_from_slice(&place.crc.to_le_bytes());
        bytes.extend_from_slice(payload);
        // After an error the next page is written over what is there of this one.
        let written = held.file.write_at(&bytes, held.end);
        written.map_err(|e| Error::io("write", &name(file), e))?;
        held.end = place.end();
        Ok(place)
    }

    /// The file that is written to, begun if there is none.
    fn draft<'a>(&self, state: &'a mut State) -> Result<(u64, &'a mut Held), Error> {
        let number = match state.draft {
            Some(number) => number,
            None => self.begin(state)?,
        };
        let held = state.files.get_mut(&number).ok_or(Error::Closed)?;
        Ok((number, held))
    }

    fn begin(&self, state: &mut State) -> Result<u64, Error> {
        let number = self.free(state)?;
        let created = self.disk.create(&name(number), 0);
        let file = created.map_err(|e| Error::io("create", &name(number), e))?;
        state.files.insert(number, Held { file, end: 0 });
        (state.draft, state.given) = (Some(number), number);
        Ok(number)
    }

    /// A number above all that were given.
    fn free(&self, state: &State) -> Result<u64, Error> {
        let names = self.disk.list();
        let names = names.map_err(|e| Error::io("list", "the data directory", e))?;
        let on_disk = names.iter().filter_map(|name| number_of(name));
        let here = state.files.keys().copied();
        let highest = on_disk.chain(here).max();
        Ok(highest.unwrap_or(0).max(state.given) + 1)
    }

    /// The payload of a page. An error but for [`Error::Page`] is worth another try.
    pub fn read(&self, place: Place) -> Result<Vec<u8>, Error> {
        let read = self.read_once(place);
        let at = (place.file, place.offset);
        let mut state = self.state();
        let Err(Error::Io { .. }) = &read else {
            state.failing.remove(&at);
            return read;
        };
        let failed = state.failing.entry(at).or_default();
        *failed += 1;
        if *failed < TRIES {
            return read;
        }
        state.failing.remove(&at);
        Err(place.damaged())
    }

    fn read_once(&self, place: Place) -> Result<Vec<u8>, Error> {
        let held = self.state().files.get(&place.file).cloned();
        let held = held.filter(|held| place.end() <= held.end);
        let held = held.ok_or_else(|| place.damaged())?;
        let mut bytes = vec![0; HEAD + place.length as usize];
        let read = held.file.read_at(&mut bytes, place.offset);
        let read = read.map_err(|e| Error::io("read", &name(place.file), e))?;
        let payload = bytes.split_off(HEAD);
        let expected = [place.length.to_le_bytes(), place.crc.to_le_bytes()].concat();
        let sound = place.crc == checksum(place.file, place.offset, &payload);
        match sound && read == HEAD + payload.len() && bytes == expected {
            true => Ok(payload),
            false => Err(place.damaged()),
        }
    }

    /// Makes all that was written durable, name and content; what comes next begins another file.
    pub fn sync(&self) -> Result<(), Error> {
        let mut state = self.state();
        let Some(number) = state.draft.take() else {
            return Ok(());
        };
        let Some(held) = state.files.get(&number) else {
            return Ok(());
        };
        let synced = held.file.sync_data().and_then(|()| self.disk.sync_dir());
        synced.map_err(|e| {
            state.doubtful.insert(number);
            Error::io("sync", &name(number), e)
        })
    }

    /// Whether a sync of the file failed: what is in it must be written anew before it is relied on.
    pub fn is_doubtful(&self, file: u64) -> bool {
        self.state().doubtful.contains(&file)
    }

    /// The files that are open here and not written to any more, and the bytes of each.
    pub fn files(&self) -> Vec<(u64, u64)> {
        let state = self.state();
        let files = state.files.iter();
        let done = files.filter(|(number, _)| state.draft != Some(**number));
        done.map(|(number, held)| (*number, held.end)).collect()
    }

    /// Bytes of the file that is written to.
    pub fn drafted(&self) -> u64 {
        let state = self.state();
        let draft = state.draft.and_then(|number| state.files.get(&number));
        draft.map_or(0, |held| held.end)
    }

    /// Removes the files open here but those that are named and the one that is written to.
    pub fn retain(&self, named: &BTreeSet<u64>) {
        let mut state = self.state();
        let draft = state.draft;
        let disk = &self.disk;
        state.files.retain(|number, _| {
            let stays = named.contains(number) || draft == Some(*number);
            if !stays {
                // Only space: the next start tries again.
                let _ = disk.remove(&name(*number));
            }
            stays
        });
        let State {
            files,
            doubtful,
            failing,
            ..
        } = &mut *state;
        doubtful.retain(|number| files.contains_key(number));
        failing.retain(|(number, _), _| files.contains_key(number));
    }

    /// Removes what an earlier process left: all files on the disk but those that are named.
    pub fn sweep(&self, named: &BTreeSet<u64>) {
        let numbers = self.disk.list().unwrap_or_default();
        let numbers = numbers.iter().filter_map(|name| number_of(name));
        for number in numbers.filter(|number| !named.contains(number)) {
            // Only space, as above.
            let _ = self.disk.remove(&name(number));
        }
    }
}

/// What was written and not synced is spoken of by nobody.
impl Drop for Pages {
    fn drop(&mut self) {
        let draft = self.state().draft.take();
        if let Some(number) = draft {
            let _ = self.disk.remove(&name(number));
        }
    }
}

/// The name of a file.
fn name(number: u64) -> String {
    format!("pages-{number:020}.bin")
}

fn number_of(name: &str) -> Option<u64> {
    let digits = name.strip_prefix("pages-")?.strip_suffix(".bin")?;
    (digits.len() == 20).then(|| digits.parse().ok()).flatten()
}

fn checksum(file: u64, offset: u64, payload: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(MAGIC);
    hasher.update(&file.to_le_bytes());
    hasher.update(&offset.to_le_bytes());
    hasher.update(payload);
    hasher.finalize()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::simulated::SimulatedDisk;

    fn pages() -> (SimulatedDisk, Pages) {
        let disk = SimulatedDisk::new();
        let pages = Pages::new(Arc::new(disk.clone()));
        (disk, pages)
    }

    /// What is read of a page, or the text of the error.
    fn check(pages: &Pages, place: Place, expected: Result<&[u8], &str>) {
        let read = pages.read(place).map_err(|error| error.to_string());
        assert_eq!(read.as_deref().map_err(String::as_str), expected);
    }

    #[test]
    fn what_is_written_is_read_at_once_and_after_a_power_cut_if_it_was_synced() {
        let (disk, pages) = pages();
        let first = pages.write(b"first").unwrap();
        let second = pages.write(b"second").unwrap();
        check(&pages, first, Ok(b"first"));
        pages.sync().unwrap();
        let third = pages.write(b"third").unwrap();
        assert_ne!(third.file, second.file, "a synced file gets no more");
        disk.crash();
        drop(pages);
        let pages = Pages::new(Arc::new(disk.clone()));
        pages.open(first.file, second.end()).unwrap();
        check(&pages, first, Ok(b"first"));
        check(&pages, second, Ok(b"second"));
        assert!(pages.open(third.file, third.end()).is_err());
    }

    #[test]
    fn a_page_is_found_damaged_whichever_byte_of_it_has_changed() {
        let text = "the page at byte 13 of pages-00000000000000000001.bin is damaged";
        for byte in 13..13 + 8 + 6 {
            let (disk, pages) = pages();
            let first = pages.write(b"first").unwrap();
            let second = pages.write(b"second").unwrap();
            let flipped = !disk.read(&name(1)).unwrap()[byte];
            disk.damage(&name(1), byte, &[flipped]);
            check(&pages, first, Ok(b"first"));
            check(&pages, second, Err(text));
        }
    }

    #[test]
    fn a_page_that_lies_elsewhere_is_not_taken_for_another() {
        let (disk, pages) = pages();
        let places = [b"one", b"two"].map(|page| pages.write(page).unwrap());
        let bytes = disk.read(&name(1)).unwrap();
        disk.damage(&name(1), 11, &bytes[..11]);
        assert!(pages.read(places[1]).is_err());
    }

    #[test]
    fn a_page_of_another_file_that_had_the_same_number_is_not_taken_for_one_of_this() {
        let places = [b"one", b"two"].map(|page| {
            let (disk, pages) = pages();
            let place = pages.write(page).unwrap();
            pages.sync().unwrap();
            (disk, place)
        });
        let [(_, gone), (disk, there)] = places;
        assert_eq!((gone.file, gone.end()), (there.file, there.end()));
        let pages = Pages::new(Arc::new(disk));
        pages.open(gone.file, gone.end()).unwrap();
        check(&pages, there, Ok(b"two"));
        let text = "the page at byte 0 of pages-00000000000000000001.bin is damaged";
        check(&pages, gone, Err(text));
    }

    #[test]
    fn a_page_that_cannot_be_read_five_times_in_a_row_is_damaged_and_others_are_not() {
        let (disk, pages) = pages();
        let [one, two] = [b"one", b"two"].map(|page| pages.write(page).unwrap());
        let tries = |place| {
            let damaged = |tries: &u32| {
                let read = pages.read(place);
                assert!(read.is_err(), "try {tries}");
                matches!(read, Err(Error::Page { .. }))
            };
            (1..=9).find(damaged)
        };
        disk.set_unreadable(&name(1), true);
        for _ in 0..3 {
            assert!(matches!(pages.read(one), Err(Error::Io { .. })));
        }
        assert_eq!(tries(two), Some(5));
        assert_eq!(tries(one), Some(2));
        disk.set_unreadable(&name(1), false);
        check(&pages, one, Ok(b"one"));
        disk.set_unreadable(&name(1), true);
        assert_eq!(tries(one), Some(5), "counted anew");
    }

    #[test]
    fn a_file_that_lacks_bytes_is_not_opened() {
        let (disk, pages) = pages();
        let place = pages.write(b"page").unwrap();
        pages.sync().unwrap();
        let pages = Pages::new(Arc::new(disk));
        assert!(pages.open(place.file, place.end() + 1).is_err());
        assert!(pages.open(place.file, place.end()).is_ok());
    }

    #[test]
    fn a_file_whose_sync_failed_is_doubtful_and_gets_no_more() {
        let (disk, pages) = pages();
        let first = pages.write(b"first").unwrap();
        disk.set_sync_fails(true);
        assert!(pages.sync().is_err());
        disk.set_sync_fails(false);
        let second = pages.write(b"second").unwrap();
        assert!(pages.is_doubtful(first.file) && !pages.is_doubtful(second.file));
        pages.sync().unwrap();
        pages.retain(&[second.file].into());
        assert!(!pages.is_doubtful(first.file));
        assert_eq!(disk.list().unwrap(), [name(second.file)]);
    }

    #[test]
    fn a_full_disk_refuses_a_page_and_the_next_one_is_whole() {
        let (disk, pages) = pages();
        disk.set_room(Some(10));
        assert!(matches!(pages.write(b"page"), Err(Error::Full { .. })));
        disk.set_room(None);
        let place = pages.write(b"page").unwrap();
        check(&pages, place, Ok(b"page"));
    }

    #[test]
    fn what_nobody_speaks_of_is_removed_and_what_is_open_stays_readable() {
        let (disk, pages) = pages();
        let kept = pages.write(b"kept").unwrap();
        pages.sync().unwrap();
        let draft = pages.write(b"draft").unwrap();
        pages.retain(&[kept.file].into());
        assert_eq!(disk.list().unwrap(), [name(1), name(2)]);
        Pages::new(Arc::new(disk.clone())).sweep(&[kept.file].into());
        assert_eq!(disk.list().unwrap(), [name(1)]);
        check(&pages, draft, Ok(b"draft"));
        let another = Pages::new(Arc::new(disk.clone()));
        another.write(b"unspoken").unwrap();
        assert_eq!(disk.list().unwrap().len(), 2);
        drop(another);
        assert_eq!(disk.list().unwrap(), [name(1)]);
    }
}

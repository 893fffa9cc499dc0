//! The journal's door: open, append, and what appenders share.
//!
//! Invariants: `written` is raised only after the bytes of that record are with the operating
//! system; segments are added in order and never removed while open.
//!
//! Not here: reading (`reader`), syncing (`sync`), repair at open (`recovery`).

use super::frame::Frame;
use super::reader::Reader;
use super::recovery::{self, Recovery, Start};
use super::segment::{self, Durability, Footprint, HEADER, Position, Settings};
use super::sync::{self, OnDisk, Synced};
use crate::store::Error;
use crate::store::disk::{Disk, DiskFile};
use crate::store::index::Known;
use crate::store::record::Record;
use crate::unit::Timestamp;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, RwLock};
use std::thread::JoinHandle;
use tokio::sync::{Notify, watch};

/// An append-only list of records. Sharing it is sharing a reference.
#[derive(Debug)]
pub struct Journal {
    shared: Arc<Shared>,
    syncer: Option<JoinHandle<()>>,
}

/// What appenders, readers and the sync thread share.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) disk: Arc<dyn Disk>,
    pub(super) settings: Settings,
    writer: Mutex<Writer>,
    /// Wakes the sync thread.
    pub(super) work: Condvar,
    segments: RwLock<Segments>,
    /// Newest sequence that readers may read.
    written: AtomicU64,
    /// Wakes who waits for `written` to rise.
    appended: Notify,
    pub(super) synced: watch::Sender<Synced>,
}

/// The end of the journal. One appender at a time.
#[derive(Debug)]
pub(super) struct Writer {
    pub(super) file: Arc<dyn DiskFile>,
    /// First sequence of `file`.
    first: u64,
    /// Sequence of the next record.
    pub(super) next: u64,
    /// Where the next frame goes.
    tail: u64,
    /// Bytes of the file that may be used.
    capacity: u64,
    /// A failed write may have left bytes up to here.
    scrub_to: u64,
    /// Why nothing more is accepted.
    pub(super) stopped: Option<Error>,
    /// The journal is being closed.
    pub(super) closing: bool,
    /// The sync thread waits for work.
    pub(super) syncer_idle: bool,
}

#[derive(Debug)]
struct Segments {
    /// First sequences, rising.
    firsts: Vec<u64>,
    /// The last of them, open.
    newest: Arc<dyn DiskFile>,
}

impl Journal {
    /// Opens the journal of `disk`, repairs a torn tail, and shows every record to `visit`, in order.
    pub fn open(
        disk: Arc<dyn Disk>,
        settings: Settings,
        now: Timestamp,
        visit: &mut dyn FnMut(Position, Record),
    ) -> Result<(Self, Recovery), Error> {
        let mut visit = |footprint: Footprint, record| {
            if let Some(record) = record {
                visit(footprint.position, record);
            }
        };
        Self::open_after(disk, settings, Start::default(), now, &mut visit)
    }

    /// As [`Journal::open`], where something is known of the journal already (see [`Journal::holds`]). Shows each
    /// record that does not decode too, as `None`.
    pub fn open_after(
        disk: Arc<dyn Disk>,
        settings: Settings,
        start: Start<'_>,
        now: Timestamp,
        visit: &mut dyn FnMut(Footprint, Option<Record>),
    ) -> Result<(Self, Recovery), Error> {
        settings.check()?;
        let (end, recovery) = recovery::recover(&*disk, settings.segment_bytes, start, now, visit)?;
        let newest_sequence = end.next - 1;
        let shared = Arc::new(Shared {
            disk,
            settings,
            segments: RwLock::new(Segments {
                firsts: end.firsts,
                newest: Arc::clone(&end.file),
            }),
            writer: Mutex::new(Writer {
                file: end.file,
                first: end.first,
                next: end.next,
                tail: end.tail,
                capacity: end.capacity,
                scrub_to: 0,
                stopped: None,
                closing: false,
                syncer_idle: false,
            }),
            work: Condvar::new(),
            written: AtomicU64::new(newest_sequence),
            appended: Notify::new(),
            synced: watch::Sender::new(Synced::upto(newest_sequence)),
        });
        let syncer = sync::start(Arc::clone(&shared))?;
        let journal = Self {
            shared,
            syncer: Some(syncer),
        };
        Ok((journal, recovery))
    }

    /// Whether the journal of `disk` is the one that something is known of: false where it has no record at all. An
    /// error where it has some and not that one, which was on disk.
    pub fn holds(disk: &dyn Disk, known: &Known) -> Result<bool, Error> {
        recovery::holds(disk, known)
    }

    /// Appends one record: when this returns, it survives the end of the process. Writes on the
    /// caller's thread, a few microseconds (a new segment, every 64 MiB: some milliseconds).
    pub fn append(&self, record: &Record) -> Result<Position, Error> {
        self.append_and(record, |_| {})
    }

    /// As [`Journal::append`], and tells where it is before anybody can append behind it: whoever is told hears of
    /// all records in their order.
    pub fn append_and(
        &self,
        record: &Record,
        tell: impl FnOnce(Footprint),
    ) -> Result<Position, Error> {
        let mut frame = Frame::new(record)?;
        let mut writer = self.shared.writer();
        let footprint = writer.write(&self.shared, &mut frame, record.time())?;
        let position = footprint.position;
        self.shared
            .written
            .store(position.sequence, Ordering::Release);
        // Who looks it up may read it at once.
        tell(footprint);
        let wake = std::mem::take(&mut writer.syncer_idle);
        drop(writer);
        if wake {
            self.shared.work.notify_one();
        }
        self.shared.appended.notify_waiters();
        Ok(position)
    }

    /// Waits until record `sequence` counts as done: at once in mode group, when it is on disk in
    /// mode sync.
    pub async fn durable(&self, sequence: u64) -> Result<(), Error> {
        match self.shared.settings.durability {
            Durability::Group => Ok(()),
            Durability::Sync => self.on_disk(sequence).await,
        }
    }

    /// Waits until record `sequence` is on disk, in either mode.
    pub async fn on_disk(&self, sequence: u64) -> Result<(), Error> {
        sync::wait(&self.shared.synced, sequence).await
    }

    /// Appends and waits until it counts as done. Dropping the future does not undo the append.
    pub async fn commit(&self, record: &Record) -> Result<Position, Error> {
        let position = self.append(record)?;
        self.durable(position.sequence).await?;
        Ok(position)
    }

    /// Sequence of the newest record; 0 if there is none.
    pub fn newest(&self) -> u64 {
        self.shared.written()
    }

    /// Waits until a record after `sequence` is there, and tells the newest.
    pub async fn newer_than(&self, sequence: u64) -> u64 {
        self.shared.newer_than(sequence).await
    }

    /// Waits, on a thread that may block, until records are on disk.
    pub fn on_disk_wait(&self) -> OnDisk {
        OnDisk(self.shared.synced.subscribe())
    }

    /// Reads on from record `from` (1 is the first).
    pub fn reader(&self, from: u64) -> Reader {
        self.reader_near(from, None)
    }

    /// As [`Journal::reader`]; to find the first one it starts at `near`, where a record before it is.
    pub fn reader_near(&self, from: u64, near: Option<Position>) -> Reader {
        Reader::new(Arc::clone(&self.shared), from, near)
    }

    /// The record at `position`.
    pub fn at(&self, position: Position) -> Result<Record, Error> {
        super::reader::at(&self.shared, position)
    }

    /// Syncs what is left and ends. Dropping does the same but cannot tell of an error.
    pub fn close(mut self) -> Result<(), Error> {
        self.end();
        match &self.shared.synced.borrow().failed {
            Some(error) => Err(error.clone()),
            None => Ok(()),
        }
    }

    fn end(&mut self) {
        self.shared.writer().closing = true;
        self.shared.work.notify_one();
        if let Some(syncer) = self.syncer.take() {
            // It ends by itself after its last sync; a panic there has nothing more to lose.
            let _ = syncer.join();
        }
    }
}

impl Drop for Journal {
    fn drop(&mut self) {
        self.end();
    }
}

impl Shared {
    pub(super) fn writer(&self) -> MutexGuard<'_, Writer> {
        self.writer.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A sync failed: nothing more is accepted, and everyone who waits is told.
    pub(super) fn break_off(&self, writer: &mut Writer, source: std::io::Error) -> Error {
        let error = Error::Broken {
            source: Arc::new(source),
        };
        writer.stopped = Some(error.clone());
        self.synced
            .send_modify(|synced| synced.failed = Some(error.clone()));
        error
    }

    pub(super) fn written(&self) -> u64 {
        self.written.load(Ordering::Acquire)
    }

    pub(super) async fn newer_than(&self, sequence: u64) -> u64 {
        loop {
            let mut appended = std::pin::pin!(self.appended.notified());
            // Stand in line before looking, so that no append falls between the two.
            appended.as_mut().enable();
            let written = self.written();
            if written > sequence {
                return written;
            }
            appended.await;
        }
    }

    /// The segment that holds, or would hold, record `sequence`: its first sequence and its file.
    pub(super) fn segment_of(&self, sequence: u64) -> Result<(u64, Arc<dyn DiskFile>), Error> {
        let segments = self.segments.read().unwrap_or_else(PoisonError::into_inner);
        let after = segments.firsts.partition_point(|first| *first <= sequence);
        let Some(&first) = after.checked_sub(1).and_then(|i| segments.firsts.get(i)) else {
            return Err(Error::NoRecord { sequence });
        };
        if after == segments.firsts.len() {
            return Ok((first, Arc::clone(&segments.newest)));
        }
        drop(segments);
        let name = segment::name(first);
        let file = self.disk.open(&name);
        Ok((first, file.map_err(|e| Error::io("open", &name, e))?))
    }
}

impl Writer {
    fn write(
        &mut self,
        shared: &Shared,
        frame: &mut Frame,
        time: Timestamp,
    ) -> Result<Footprint, Error> {
        if let Some(error) = &self.stopped {
            return Err(error.clone());
        }
        let failed = |error| Error::io("write", &segment::name(self.first), error);
        if self.scrub_to > self.tail {
            let zeros = vec![0; usize::try_from(self.scrub_to - self.tail).unwrap_or(0)];
            self.file.write_at(&zeros, self.tail).map_err(failed)?;
            self.scrub_to = 0;
        }
        if self.tail + frame.len() > self.capacity {
            self.roll(shared, frame.len(), time)?;
        }
        if let Err(error) = self.file.write_at(frame.seal(self.next), self.tail) {
            self.scrub_to = self.tail + frame.len();
            return Err(Error::io("write", &segment::name(self.first), error));
        }
        let footprint = Footprint {
            position: Position {
                sequence: self.next,
                // Capacity is at most 1 GiB and one record.
                offset: u32::try_from(self.tail).unwrap_or(u32::MAX),
            },
            // A record has at most 16 MiB.
            length: u32::try_from(frame.len()).unwrap_or(u32::MAX),
            crc: frame.crc(),
        };
        self.tail += frame.len();
        self.next += 1;
        Ok(footprint)
    }

    /// Goes on in a new segment with room for `needed` bytes.
    fn roll(&mut self, shared: &Shared, needed: u64, time: Timestamp) -> Result<(), Error> {
        // First the old one to disk: only the newest segment may ever be torn.
        if let Err(source) = self.file.sync_data() {
            return Err(shared.break_off(self, source));
        }
        let capacity = shared.settings.segment_bytes.max(HEADER + needed);
        let file = segment::create(&*shared.disk, self.next, capacity, time)?;
        // Space set aside and not used goes back; a failure costs only that space.
        let _ = self.file.set_len(self.tail);
        let mut segments = shared
            .segments
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        segments.firsts.push(self.next);
        segments.newest = Arc::clone(&file);
        drop(segments);
        self.first = self.next;
        self.file = file;
        self.tail = HEADER;
        self.capacity = capacity;
        self.scrub_to = 0;
        Ok(())
    }
}

//! The disk as the store sees it: one flat directory of named files.
//!
//! Invariants the journal builds on: what `sync_data` covered survives a power cut; a name survives
//! one only after `sync_dir`; `create` gives a file of zeros with its space set aside, or nothing;
//! `replace` leaves either the old content or the new, never a mixture.
//!
//! Not here: a disk that fails on purpose (`simulated`), sled's own directory (`keyed`).

use super::Error;
use std::fmt::Debug;
use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A flat directory.
pub trait Disk: Send + Sync + Debug {
    /// Names of all files, sorted.
    fn list(&self) -> io::Result<Vec<String>>;
    /// A new file of `len` zeros with its space set aside. Replaces a file of that name.
    fn create(&self, name: &str, len: u64) -> io::Result<Arc<dyn DiskFile>>;
    /// An existing file, for reading and writing.
    fn open(&self, name: &str) -> io::Result<Arc<dyn DiskFile>>;
    /// Deletes a file.
    fn remove(&self, name: &str) -> io::Result<()>;
    /// Gives a file another name, replacing what had it.
    fn rename(&self, from: &str, to: &str) -> io::Result<()>;
    /// Makes names durable.
    fn sync_dir(&self) -> io::Result<()>;

    /// The whole content of a file.
    fn read(&self, name: &str) -> io::Result<Vec<u8>> {
        let file = self.open(name)?;
        let mut bytes = vec![0; usize::try_from(file.size()?).map_err(io::Error::other)?];
        let read = file.read_at(&mut bytes, 0)?;
        bytes.truncate(read);
        Ok(bytes)
    }

    /// Writes a whole small file, durably: the old content or the new after a crash.
    fn replace(&self, name: &str, bytes: &[u8]) -> io::Result<()> {
        self.replace_with(name, &mut |file| file.write_at(bytes, 0))
    }

    /// As [`Disk::replace`], of what `write` writes.
    fn replace_with(
        &self,
        name: &str,
        write: &mut dyn FnMut(&dyn DiskFile) -> io::Result<()>,
    ) -> io::Result<()> {
        let draft = format!("{name}.tmp");
        let written = self.create(&draft, 0).and_then(|file| {
            write(&*file)?;
            file.sync_data()
        });
        if let Err(error) = written {
            // A leftover draft is harmless; the first error is the one that matters.
            let _ = self.remove(&draft);
            return Err(error);
        }
        self.rename(&draft, name)?;
        self.sync_dir()
    }
}

/// A file of a [`Disk`], usable from any thread.
pub trait DiskFile: Send + Sync + Debug {
    /// Its length in bytes.
    fn size(&self) -> io::Result<u64>;
    /// Reads from `offset` until `buffer` is full or the file ends; returns the bytes read.
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize>;
    /// Writes all bytes at `offset`. After an error any part of them may have been written.
    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<()>;
    /// Makes content and length durable.
    fn sync_data(&self) -> io::Result<()>;
    /// Cuts the file, or extends it with zeros without setting space aside.
    fn set_len(&self, len: u64) -> io::Result<()>;
    /// Extends the file to `len` with zeros and sets the space aside. Never cuts.
    fn allocate(&self, len: u64) -> io::Result<()>;
}

/// A directory of the operating system: held by one process at a time, or only looked at.
#[derive(Debug)]
pub struct FileDisk {
    dir: PathBuf,
    /// Open for as long as the lock shall hold; nothing where it is only looked at.
    lock: Option<File>,
}

impl FileDisk {
    /// Name of the lock file.
    pub const LOCK: &str = "lock";

    /// Makes the directory if it is absent, and locks it.
    pub fn open(dir: impl AsRef<Path>) -> Result<Self, Error> {
        let dir = dir.as_ref().to_owned();
        let path = dir.join(Self::LOCK);
        let failed = |operation, source| Error::io(operation, &path.to_string_lossy(), source);
        fs::create_dir_all(&dir).map_err(|e| failed("create the directory of", e))?;
        let lock = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .open(&path)
            .map_err(|e| failed("open", e))?;
        lock.try_lock().map_err(|error| match error {
            fs::TryLockError::WouldBlock => Error::Locked {
                path: path.to_string_lossy().into_owned(),
            },
            fs::TryLockError::Error(source) => failed("lock", source),
        })?;
        let lock = Some(lock);
        Ok(Self { dir, lock })
    }

    /// The directory as it is, to read what another process may be writing: files open for reading
    /// only.
    pub fn look(dir: impl AsRef<Path>) -> Self {
        Self {
            dir: dir.as_ref().to_owned(),
            lock: None,
        }
    }
}

impl Disk for FileDisk {
    fn list(&self) -> io::Result<Vec<String>> {
        let mut names = Vec::new();
        for entry in fs::read_dir(&self.dir)? {
            let entry = entry?;
            if entry.file_type()?.is_file() {
                // A name that is not UTF-8 is not one of ours.
                names.extend(entry.file_name().into_string());
            }
        }
        names.sort();
        Ok(names)
    }

    fn create(&self, name: &str, len: u64) -> io::Result<Arc<dyn DiskFile>> {
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(true)
            .open(self.dir.join(name))?;
        if let Err(error) = DiskFile::allocate(&file, len) {
            let _ = self.remove(name);
            return Err(error);
        }
        no_read_ahead(&file);
        Ok(Arc::new(file))
    }

    fn open(&self, name: &str) -> io::Result<Arc<dyn DiskFile>> {
        let path = self.dir.join(name);
        let file = OpenOptions::new()
            .read(true)
            .write(self.lock.is_some())
            .open(path)?;
        if self.lock.is_some() {
            no_read_ahead(&file);
        }
        Ok(Arc::new(file))
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        fs::remove_file(self.dir.join(name))
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        fs::rename(self.dir.join(from), self.dir.join(to))
    }

    fn sync_dir(&self) -> io::Result<()> {
        File::open(&self.dir)?.sync_all()
    }
}

/// Who follows the end of a file that is being written must not read ahead of it: the kernel would
/// bring in the space set aside as large pages, and each small write then walks every block of one
/// (5 us a record, measured on ext4). It is advice: a refusal costs only time.
fn no_read_ahead(file: &File) {
    #[cfg(any(target_os = "linux", target_os = "android"))]
    let _ = rustix::fs::fadvise(file, 0, None, rustix::fs::Advice::Random);
    #[cfg(not(any(target_os = "linux", target_os = "android")))]
    let _ = file;
}

impl DiskFile for File {
    fn size(&self) -> io::Result<u64> {
        Ok(self.metadata()?.len())
    }

    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        let mut read = 0;
        while read < buffer.len() {
            match FileExt::read_at(self, &mut buffer[read..], offset + read as u64) {
                Ok(0) => break,
                Ok(n) => read += n,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(read)
    }

    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        self.write_all_at(bytes, offset)
    }

    fn sync_data(&self) -> io::Result<()> {
        File::sync_data(self)
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        File::set_len(self, len)
    }

    fn allocate(&self, len: u64) -> io::Result<()> {
        let have = self.size()?;
        if len <= have {
            return Ok(());
        }
        let flags = rustix::fs::FallocateFlags::empty();
        match rustix::fs::fallocate(self, flags, have, len - have) {
            Ok(()) => Ok(()),
            // File systems that cannot set space aside get a sparse file: a full disk then shows at
            // the write instead of here.
            Err(rustix::io::Errno::OPNOTSUPP | rustix::io::Errno::NOSYS) => {
                File::set_len(self, len)
            }
            Err(error) => Err(error.into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_is_held_by_one_at_a_time() {
        let dir = tempfile::tempdir().unwrap();
        let first = FileDisk::open(dir.path()).unwrap();
        let second = FileDisk::open(dir.path());
        assert!(matches!(second, Err(Error::Locked { .. })), "{second:?}");
        drop(first);
        assert!(FileDisk::open(dir.path()).is_ok());
    }

    #[test]
    fn a_real_file_keeps_what_the_trait_promises() {
        let dir = tempfile::tempdir().unwrap();
        let disk = FileDisk::open(dir.path()).unwrap();
        let file = disk.create("a", 10).unwrap();
        file.write_at(b"xyz", 4).unwrap();
        file.sync_data().unwrap();
        assert_eq!(disk.read("a").unwrap(), b"\0\0\0\0xyz\0\0\0");
        file.set_len(5).unwrap();
        file.allocate(7).unwrap();
        file.allocate(3).unwrap();
        assert_eq!(disk.read("a").unwrap(), b"\0\0\0\0x\0\0");
        let mut buffer = [9; 4];
        assert_eq!(file.read_at(&mut buffer, 5).unwrap(), 2);
        disk.replace("b", b"old").unwrap();
        disk.replace("b", b"new").unwrap();
        assert_eq!(disk.read("b").unwrap(), b"new");
        assert_eq!(disk.list().unwrap(), ["a", "b", FileDisk::LOCK]);
        disk.remove("a").unwrap();
        assert!(disk.open("a").is_err());
    }
}

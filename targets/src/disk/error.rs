//! What a drive refuses, as the numbers that programs know.

use std::io;

/// Why a file system call failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DiskError {
    /// No such file.
    #[error("no such file")]
    NotFound,
    /// The medium failed.
    #[error("input/output error")]
    Io,
    /// The name is taken.
    #[error("file exists")]
    Exists,
    /// A file where a folder is needed.
    #[error("not a folder")]
    NotFolder,
    /// A folder where a file is needed.
    #[error("is a folder")]
    IsFolder,
    /// What is asked makes no sense.
    #[error("invalid argument")]
    Invalid,
    /// No block is left.
    #[error("no space left on the volume")]
    NoSpace,
    /// A folder that is not empty.
    #[error("folder not empty")]
    NotEmpty,
}

impl DiskError {
    /// Its number on Linux (`asm-generic/errno-base.h`, `errno.h`).
    pub fn errno(self) -> i32 {
        match self {
            Self::NotFound => 2,
            Self::Io => 5,
            Self::Exists => 17,
            Self::NotFolder => 20,
            Self::IsFolder => 21,
            Self::Invalid => 22,
            Self::NoSpace => 28,
            Self::NotEmpty => 39,
        }
    }

    /// The name of an error number that a disk may give: `ENOSPC`; the number
    /// itself where it is none of them.
    pub fn name(errno: i32) -> String {
        match errno {
            2 => "ENOENT".into(),
            5 => "EIO".into(),
            28 => "ENOSPC".into(),
            30 => "EROFS".into(),
            other => format!("errno {other}"),
        }
    }
}

impl From<DiskError> for io::Error {
    fn from(error: DiskError) -> Self {
        Self::from_raw_os_error(error.errno())
    }
}

//! A gateway under test, as the command line names it.

use crate::Error;
use std::str::FromStr;

/// `NAME=URL[,key=KEY][,model=MODEL][,header=NAME:VALUE...][,pid=PID[+PID...]]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Gateway {
    pub(crate) name: String,
    pub(crate) url: String,
    pub(crate) key: String,
    pub(crate) model: String,
    /// More lines of each request's head.
    pub(crate) headers: Vec<String>,
    /// Processes whose CPU and memory are its.
    pub(crate) pids: Vec<u32>,
}

impl FromStr for Gateway {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let allowed =
            "allowed NAME=URL[,key=KEY][,model=MODEL][,header=NAME:VALUE...][,pid=PID[+PID...]]";
        let mut parts = text.split(',');
        let named = parts.next().and_then(|part| part.split_once('='));
        let (name, url) = named.ok_or(allowed)?;
        let mut gateway = Self {
            name: name.to_owned(),
            url: url.to_owned(),
            key: "bench-key".to_owned(),
            model: "auto".to_owned(),
            headers: Vec::new(),
            pids: Vec::new(),
        };
        for part in parts {
            match part.split_once('=') {
                Some(("key", key)) => gateway.key = key.to_owned(),
                Some(("model", model)) => gateway.model = model.to_owned(),
                Some(("header", header)) => gateway.headers.push(header.to_owned()),
                Some(("pid", pids)) => {
                    let pids = pids.split('+').map(str::parse).collect::<Result<_, _>>();
                    gateway.pids = pids.map_err(|_| allowed)?;
                }
                _ => return Err(allowed.into()),
            }
        }
        Ok(gateway)
    }
}

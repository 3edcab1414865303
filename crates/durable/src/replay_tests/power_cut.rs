//! A disk that loses its power: from recorded changes, all that may be found afterwards.
//!
//! Synced bytes and names are there. Of those not synced, each may be there or not, in any combination; an append may
//! also be there in part, or as zeros where its length arrived before its bytes. That is more than real file systems
//! do: they order names, and mostly bytes too.

use std::collections::BTreeMap;

use crate::disk::recorder::{FileNumber, Op};

/// What a directory holds: contents by name.
pub(super) type Found = BTreeMap<Vec<u8>, Vec<u8>>;

/// A disk during the recorded changes.
#[derive(Clone, Default)]
pub(super) struct Disk {
    synced: BTreeMap<FileNumber, Vec<u8>>,
    lengths: BTreeMap<FileNumber, u64>,
    bytes_to_come: Vec<(FileNumber, Change)>,
    synced_names: BTreeMap<Vec<u8>, FileNumber>,
    names: BTreeMap<Vec<u8>, FileNumber>,
    names_to_come: Vec<NameChange>,
}

#[derive(Clone)]
enum Change {
    Write { offset: u64, bytes: Vec<u8> },
    Length(u64),
}

/// Names that go and a name that comes, both or neither.
#[derive(Clone)]
struct NameChange {
    gone: Option<Vec<u8>>,
    come: Option<(Vec<u8>, FileNumber)>,
}

/// What became of one change that was not synced.
#[derive(Clone, Copy)]
enum Fate {
    Lost,
    Whole,
    Zeros,
    /// The first so many bytes are there, and the length of those.
    Start(usize),
    /// The whole length is there, with zeros for the first so many bytes.
    End(usize),
}

impl Disk {
    /// A disk with these files on it, numbered in their order.
    pub(super) fn with(files: &[(&str, &[u8])]) -> Disk {
        let mut disk = Disk::default();
        for (number, (name, contents)) in files.iter().enumerate() {
            disk.synced.insert(number, contents.to_vec());
            disk.lengths.insert(number, contents.len() as u64);
            disk.synced_names.insert(name.as_bytes().to_vec(), number);
        }
        disk.names = disk.synced_names.clone();
        disk
    }

    /// Applies one recorded change.
    pub(super) fn apply(&mut self, op: &Op) {
        match op {
            Op::Create { name, file } => {
                self.synced.insert(*file, Vec::new());
                self.lengths.insert(*file, 0);
                self.change_names(None, Some((name.clone(), *file)));
            }
            Op::Append { file, bytes } => {
                let offset = self.lengths[file];
                self.lengths.insert(*file, offset + bytes.len() as u64);
                self.bytes_to_come.push((*file, Change::Write { offset, bytes: bytes.clone() }));
            }
            Op::Truncate { file, length } => {
                self.lengths.insert(*file, *length);
                self.bytes_to_come.push((*file, Change::Length(*length)));
            }
            Op::Rename { from, to } => {
                let file = self.names[from];
                self.change_names(Some(from.clone()), Some((to.clone(), file)));
            }
            Op::Unlink { name } => self.change_names(Some(name.clone()), None),
            Op::Sync { file } => self.sync(*file),
            Op::SyncDir => {
                self.synced_names = self.names.clone();
                self.names_to_come.clear();
            }
            Op::Begin(_) | Op::Done(_) => {}
        }
    }

    /// Returns all that may be found if the power is cut now.
    pub(super) fn after_power_cut(&self) -> Vec<Found> {
        let fates = combinations(self.bytes_to_come.iter().map(|(_, change)| change.fates()).collect());
        let name_fates = combinations(vec![vec![Fate::Lost, Fate::Whole]; self.names_to_come.len()]);
        let mut found = Vec::new();
        for names in name_fates.iter().map(|fates| self.names_after(fates)) {
            for fates in &fates {
                let contents = self.contents_after(fates);
                found.push(names.iter().map(|(name, file)| (name.clone(), contents[file].clone())).collect());
            }
        }
        found.sort();
        found.dedup();
        found
    }

    fn change_names(&mut self, gone: Option<Vec<u8>>, come: Option<(Vec<u8>, FileNumber)>) {
        let change = NameChange { gone, come };
        change.apply(&mut self.names);
        self.names_to_come.push(change);
    }

    fn sync(&mut self, file: FileNumber) {
        let (now, later): (Vec<_>, Vec<_>) = self.bytes_to_come.drain(..).partition(|(of, _)| *of == file);
        self.bytes_to_come = later;
        for (_, change) in now {
            change.apply(Fate::Whole, self.synced.get_mut(&file).unwrap());
        }
    }

    fn names_after(&self, fates: &[Fate]) -> BTreeMap<Vec<u8>, FileNumber> {
        let mut names = self.synced_names.clone();
        for (change, fate) in self.names_to_come.iter().zip(fates) {
            if matches!(fate, Fate::Whole) {
                change.apply(&mut names);
            }
        }
        names
    }

    fn contents_after(&self, fates: &[Fate]) -> BTreeMap<FileNumber, Vec<u8>> {
        let mut contents = self.synced.clone();
        for ((file, change), fate) in self.bytes_to_come.iter().zip(fates) {
            change.apply(*fate, contents.get_mut(file).unwrap());
        }
        contents
    }
}

impl NameChange {
    fn apply(&self, names: &mut BTreeMap<Vec<u8>, FileNumber>) {
        if let Some(gone) = &self.gone {
            names.remove(gone);
        }
        if let Some((name, file)) = &self.come {
            names.insert(name.clone(), *file);
        }
    }
}

impl Change {
    fn fates(&self) -> Vec<Fate> {
        let mut fates = vec![Fate::Lost, Fate::Whole];
        if let Change::Write { bytes, .. } = self {
            fates.push(Fate::Zeros);
            // Each place where a short write can be torn; the ends and the middle of a long one.
            let places: Vec<usize> = if bytes.len() <= 16 {
                (1..bytes.len()).collect()
            } else {
                vec![1, 8, 9, bytes.len() / 2, bytes.len() - 1]
            };
            fates.extend(places.iter().flat_map(|at| [Fate::Start(*at), Fate::End(*at)]));
        }
        fates
    }

    fn apply(&self, fate: Fate, contents: &mut Vec<u8>) {
        match (self, fate) {
            (_, Fate::Lost) => {}
            (Change::Length(length), _) => contents.resize(*length as usize, 0),
            (Change::Write { offset, bytes }, _) => {
                let bytes = match fate {
                    Fate::Start(count) => bytes[..count].to_vec(),
                    Fate::End(count) => [vec![0; count], bytes[count..].to_vec()].concat(),
                    Fate::Zeros => vec![0; bytes.len()],
                    _ => bytes.clone(),
                };
                let (start, end) = (*offset as usize, *offset as usize + bytes.len());
                contents.resize(contents.len().max(end), 0);
                contents[start..end].copy_from_slice(&bytes);
            }
        }
    }
}

/// All ways to choose one of each.
fn combinations(choices: Vec<Vec<Fate>>) -> Vec<Vec<Fate>> {
    choices.into_iter().fold(vec![Vec::new()], |sofar, options| {
        sofar.iter().flat_map(|chosen| options.iter().map(|option| [chosen.clone(), vec![*option]].concat())).collect()
    })
}

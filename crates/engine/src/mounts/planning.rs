//! From the spec's list of mounts to acts.

use std::ffi::CString;
use std::path::{Component, Path, PathBuf};

use oci_spec::runtime::Mount;

use super::options::{self, Options};
use super::{Act, Bind, FileSystem, Hierarchies, HierarchyMount, Place, covers_below};
use crate::error::Error;
use crate::host::{Hierarchy, Host, Kind};
use crate::plan::c_string;

/// What the planning of mounts needs to know.
#[derive(Debug)]
pub(crate) struct Planned<'a> {
    /// The host.
    pub(crate) host: &'a Host,
    /// Where relative sources start.
    pub(crate) bundle: &'a Path,
    /// What is hidden in binds, resolved.
    pub(crate) covers: &'a [PathBuf],
    /// Whether the container sees its own cgroups only.
    pub(crate) own_cgroups: bool,
}

/// First components that belong to the engine: no link may lead there.
const OWN: [&str; 3] = ["dev", "proc", "sys"];

/// Plans the spec's mounts, in order.
pub(crate) fn plan(mounts: &[Mount], planned: &Planned<'_>) -> Result<Vec<Act>, Error> {
    let mut acts = Vec::with_capacity(mounts.len());
    for (index, mount) in mounts.iter().enumerate() {
        acts.extend(planned.one(mount, &format!("mounts[{index}]"))?);
    }
    Ok(acts)
}

/// Checks what can be said about mounts without a host.
pub(crate) fn check(mounts: &[Mount]) -> Result<(), Error> {
    for (index, mount) in mounts.iter().enumerate() {
        let field = format!("mounts[{index}]");
        parse(mount, &field)?;
        inside(mount.destination(), &field)?;
    }
    Ok(())
}

fn parse(mount: &Mount, field: &str) -> Result<Options, Error> {
    let mapped = |mappings: &Option<Vec<_>>| mappings.as_ref().is_some_and(|list| !list.is_empty());
    if mapped(mount.uid_mappings()) || mapped(mount.gid_mappings()) {
        return Err(Error::unsupported(format!("{field}.uidMappings")));
    }
    Options::parse(mount.options().as_deref().unwrap_or_default(), field)
}

impl Planned<'_> {
    fn one(&self, mount: &Mount, field: &str) -> Result<Vec<Act>, Error> {
        let options = parse(mount, field)?;
        let destination = inside(mount.destination(), field)?;
        let kind = mount.typ().as_deref().unwrap_or("none");
        if options.remount {
            return self.change(&destination, &options, field);
        }
        if destination == Path::new(".") {
            return Err(Error::invalid(format!("{field}.destination"), "it is the root"));
        }
        if options.bind.is_some() || kind == "bind" {
            return self.bind(mount, &destination, &options, field);
        }
        match kind {
            "cgroup" | "cgroup2" => self.cgroups(&destination, &options, field),
            "none" => Err(Error::invalid(format!("{field}.type"), "it is missing")),
            kind => self.file_system(kind, mount, &destination, &options, field),
        }
    }

    fn change(&self, destination: &Path, options: &Options, field: &str) -> Result<Vec<Act>, Error> {
        let place = place_of(destination, true, field)?;
        let change = |attributes, recursive| Act::Change { place: place.clone(), attributes, recursive };
        let mut own = options.attributes;
        own.propagation = options.propagation;
        Ok(vec![change(own, false), change(options.recursive, true)])
    }

    fn bind(&self, mount: &Mount, destination: &Path, options: &Options, field: &str) -> Result<Vec<Act>, Error> {
        let source = mount.source().as_ref();
        let source = source.ok_or_else(|| Error::invalid(format!("{field}.source"), "it is missing"))?;
        let source = self.bundle.join(source);
        if let Some((word, _)) = options.parameters.first() {
            return Err(Error::unsupported(format!("{field}.options {word} of a bind")));
        }
        let directory = std::fs::metadata(&source)
            .map_err(|error| Error::Open { role: "mount source", path: source.clone(), source: error })?
            .is_dir();
        let mut recursive_attributes = options.recursive;
        let propagation = if options.propagation == 0 { options::private() } else { options.propagation };
        recursive_attributes.propagation = propagation;
        let mut acts = vec![Act::Bind(Bind {
            source: c_string(source.as_os_str(), field)?,
            recursive: options.bind.unwrap_or(false),
            attributes: options.attributes,
            recursive_attributes,
            place: place_of(destination, directory, field)?,
        })];
        acts.extend(covers_below(self.covers, &source, destination)?);
        Ok(acts)
    }

    fn file_system(
        &self,
        kind: &str,
        mount: &Mount,
        destination: &Path,
        options: &Options,
        field: &str,
    ) -> Result<Vec<Act>, Error> {
        let mut parameters = c_parameters(&options.parameters, field)?;
        let pseudo = ["proc", "sysfs", "tmpfs", "devpts", "mqueue"].contains(&kind);
        if let Some(source) = mount.source().as_ref().filter(|_| !pseudo) {
            parameters.insert(0, (c"source".into(), Some(c_string(source.as_os_str(), field)?)));
        }
        let own = OWN.iter().any(|own| destination == Path::new(own));
        let place = place_of(destination, true, field)?;
        Ok(vec![Act::FileSystem(FileSystem {
            kind: c_string(kind.as_ref(), field)?,
            parameters,
            attributes: options.attributes.set | options.recursive.set,
            propagation: options.propagation,
            place: if own { Place { links: false, ..place } } else { place },
            devices: kind == "tmpfs" && destination == Path::new("dev"),
        })])
    }

    fn cgroups(&self, destination: &Path, options: &Options, field: &str) -> Result<Vec<Act>, Error> {
        const READ_ONLY: u64 = 1;
        let attributes = options.attributes.set | options.recursive.set;
        if let Some((word, _)) = options.parameters.first() {
            return Err(Error::unsupported(format!("{field}.options {word} of cgroups")));
        }
        if !self.own_cgroups && attributes & READ_ONLY == 0 {
            // Writable and not its own: the container could move itself out of its limits.
            return Err(Error::unsupported(format!("{field} (writable, without a cgroup namespace)")));
        }
        let place = place_of(destination, true, field)?;
        if self.host.is_unified_only() {
            return Ok(vec![Act::FileSystem(FileSystem {
                kind: c"cgroup2".into(),
                parameters: Vec::new(),
                attributes,
                propagation: 0,
                place,
                devices: false,
            })]);
        }
        let hierarchies = &self.host.hierarchies;
        let mounts = hierarchies.iter().map(|hierarchy| hierarchy_mount(hierarchy));
        Ok(vec![Act::Hierarchies(Hierarchies {
            place,
            attributes,
            mounts: mounts.collect::<Result<_, _>>()?,
            links: controller_links(hierarchies.iter().map(AsRef::as_ref))?,
        })])
    }
}

fn hierarchy_mount(hierarchy: &Hierarchy) -> Result<HierarchyMount, Error> {
    let parameters: Vec<_> = hierarchy
        .options
        .iter()
        .map(|option| match option.split_once('=') {
            Some((key, value)) => (key.to_owned(), Some(value.to_owned())),
            None => (option.clone(), None),
        })
        .collect();
    let kind = match hierarchy.kind {
        Kind::V1 => c"cgroup",
        Kind::Unified => c"cgroup2",
    };
    Ok(HierarchyMount {
        name: c_string(hierarchy.label.as_ref(), "cgroup hierarchy")?,
        kind: kind.into(),
        parameters: c_parameters(&parameters, "cgroup hierarchy")?,
    })
}

/// Where several controllers share a hierarchy, each has a link of its name.
fn controller_links<'a>(hierarchies: impl Iterator<Item = &'a Hierarchy>) -> Result<Vec<(CString, CString)>, Error> {
    let mut links = Vec::new();
    for hierarchy in hierarchies.filter(|hierarchy| hierarchy.options.len() > 1) {
        for option in &hierarchy.options {
            if *option != hierarchy.label && !option.contains('=') {
                let name = c_string(option.as_ref(), "cgroup hierarchy")?;
                links.push((name, c_string(hierarchy.label.as_ref(), "cgroup hierarchy")?));
            }
        }
    }
    Ok(links)
}

fn c_parameters(
    parameters: &[(String, Option<String>)],
    field: &str,
) -> Result<Vec<(CString, Option<CString>)>, Error> {
    let c_string = |text: &String| c_string(text.as_ref(), field);
    parameters.iter().map(|(key, value)| Ok((c_string(key)?, value.as_ref().map(c_string).transpose()?))).collect()
}

fn place_of(destination: &Path, directory: bool, field: &str) -> Result<Place, Error> {
    Ok(Place::of(c_string(destination.as_os_str(), field)?, directory))
}

/// A destination relative to the root, cleaned of `.` and `..`; the root itself is `.`.
pub(crate) fn inside(destination: &Path, field: &str) -> Result<PathBuf, Error> {
    if !destination.is_absolute() {
        return Err(Error::invalid(field, "the path inside the container is not absolute"));
    }
    let mut path = PathBuf::new();
    for component in destination.components() {
        match component {
            Component::Normal(name) => path.push(name),
            Component::ParentDir => drop(path.pop()),
            _ => {}
        }
    }
    if path.as_os_str().is_empty() {
        path.push(".");
    }
    Ok(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_destination_is_cleaned_and_stays_inside() {
        let clean = |path: &str| inside(Path::new(path), "mounts[0]").unwrap();
        assert_eq!(clean("/dev//pts/"), Path::new("dev/pts"));
        assert_eq!(clean("/../../etc/./x"), Path::new("etc/x"));
        assert_eq!(clean("/"), Path::new("."));
        assert!(matches!(inside(Path::new("dev"), "mounts[0]"), Err(Error::Invalid { .. })));
    }
}

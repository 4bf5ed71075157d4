//! The JavaScript that the dashboard embeds, as its authors publish it on npm, and the accessibility checks of its tests.

use std::{fs, path::PathBuf};

use super::npm::{self, Package};
use crate::{
    failure::Outcome,
    project::{Project, place},
};

/// A package with the files that are taken out of it: the path inside, and the name that the file gets.
struct Source {
    package: Package,
    files: &'static [(&'static str, &'static str)],
}

/// What the dashboard embeds: charts, and components. The `LICENSE` files say on which terms.
const EMBEDDED: [Source; 3] = [
    Source {
        package: Package {
            name: "uPlot",
            what: "charts of the dashboard, 164 kB",
            package: "uplot",
            version: "1.6.32",
            sha256: Some("4b8a8191e425658e3ea8c8c1314b0fc679c861ee3a1af2b20c7b16ba50b5133d"),
        },
        files: &[
            ("dist/uPlot.esm.js", "uplot.esm.js"),
            ("dist/uPlot.iife.min.js", "uplot.iife.js"),
            ("dist/uPlot.min.css", "uplot.css"),
            ("LICENSE", "uplot.LICENSE"),
        ],
    },
    Source {
        package: Package {
            name: "htm",
            what: "templates of the dashboard, 28 kB",
            package: "htm",
            version: "3.1.1",
            sha256: Some("2425b9bee11409177bcabc7f32e319926fc6690c1701c0b257c88bdff2d5ba90"),
        },
        files: &[("dist/htm.mjs", "htm.mjs"), ("LICENSE", "htm.LICENSE")],
    },
    Source {
        package: Package {
            name: "preact",
            what: "components of the dashboard, 172 kB",
            package: "preact",
            version: "11.2.0",
            sha256: Some("3c4456766bd32b6b534d52bf4e9c2a29b33e7eedf6e96ed479300ba1a7888ebf"),
        },
        files: &[
            ("dist/preact.mjs", "preact.mjs"),
            ("hooks/dist/hooks.mjs", "preact-hooks.mjs"),
            ("LICENSE", "preact.LICENSE"),
        ],
    },
];

/// What checks pages for accessibility, in tests alone: it is not embedded.
const CHECKS: [Source; 1] = [Source {
    package: Package {
        name: "axe",
        what: "accessibility checks for tests, 708 kB",
        package: "axe-core",
        version: "4.14.1",
        sha256: Some("e6b0ce02b84d892e2e33e403485e7f3d6c29e2be6df65daf44d89ba564139745"),
    },
    files: &[("axe.min.js", "axe.min.js"), ("LICENSE", "axe.LICENSE")],
}];

/// The folder of what the dashboard embeds, where the build of the host looks for it: `.tools/web`. `None`, with a sentence,
/// where something of it cannot be had.
pub(super) fn find_or_obtain(project: &Project) -> Option<PathBuf> {
    found(sources(project, "web", &EMBEDDED), "the host is built without the dashboard, and `/` says so")
}

/// The accessibility checks, a script for a page. `None`, with a sentence, where they cannot be had.
pub(super) fn axe(project: &Project) -> Option<PathBuf> {
    found(
        sources(project, "web-tests", &CHECKS),
        "tests do not check the accessibility of the dashboard, and say so",
    )
    .map(|folder| folder.join("axe.min.js"))
}

/// The folder below `.tools` with the files of these packages, which are fetched where one is missing or of another version.
fn sources(project: &Project, folder: &str, sources: &[Source]) -> Outcome<PathBuf> {
    let folder = project.root.join(".tools").join(folder);
    let marker = folder.join("VERSION");
    let versions = versions(sources);
    let is_whole = || {
        let mut files = sources.iter().flat_map(|source| source.files);
        files.all(|(_, name)| folder.join(name).is_file())
    };
    if !fs::read_to_string(&marker).is_ok_and(|found| found == versions) || !is_whole() {
        for source in sources {
            npm::obtain(&source.package, &folder, source.files)?;
        }
        place(&marker, versions.as_bytes())?;
    }
    Ok(folder)
}

/// A line for each package. // eg: "uplot 1.6.32"
fn versions(sources: &[Source]) -> String {
    let line = |Source { package, .. }: &Source| format!("{} {}\n", package.package, package.version);
    sources.iter().map(line).collect()
}

fn found(obtained: Outcome<PathBuf>, otherwise: &str) -> Option<PathBuf> {
    match obtained {
        Ok(folder) => Some(folder),
        Err(failure) => {
            println!("{failure}");
            println!(
                "    {otherwise}; install npm or make its registry reachable, then run `cargo xtask setup`"
            );
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_package_is_pinned_and_brings_its_licence() {
        for Source { package, .. } in EMBEDDED.iter().chain(&CHECKS) {
            assert!(package.sha256.is_some_and(|hash| hash.len() == 64), "{}", package.name);
            let licence = format!("{}.LICENSE", package.name.to_lowercase());
            let mut files = EMBEDDED.iter().chain(&CHECKS).flat_map(|source| source.files);
            assert!(files.any(|(_, name)| *name == licence), "{licence}");
        }
    }

    #[test]
    fn the_marker_has_a_line_for_each_package() {
        assert_eq!(versions(&EMBEDDED), "uplot 1.6.32\nhtm 3.1.1\npreact 11.2.0\n");
    }
}

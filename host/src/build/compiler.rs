//! Plugins in C, C++ and CUDA: a folder whose sources make one library.

use std::{
    env, fs, io,
    path::{Path, PathBuf},
};

use dyno_core::model::{EngineChoice, PluginKind};

use super::{error::BuildError, output, tool::Tool, wish::Wish};
use crate::fault::{HostFault, Place};

/// The headers that such plugins include, which dyno brings along: name and text.
const HEADERS: [(&str, &str); 2] = [
    ("dyno_plugin.h", include_str!("../../../plugin-api/include/dyno_plugin.h")),
    ("dyno.hpp", include_str!("../../../sdk/c/dyno.hpp")),
];

/// In which language the sources are, which chooses the compiler.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Language {
    C,
    Cpp,
    Cuda,
}

impl Language {
    fn of(file: &Path) -> Option<Self> {
        match file.extension()?.to_str()? {
            "c" => Some(Self::C),
            "cc" | "cpp" | "cxx" => Some(Self::Cpp),
            "cu" => Some(Self::Cuda),
            _ => None,
        }
    }

    /// The compiler's usual name.
    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::C => "cc",
            Self::Cpp => "c++",
            Self::Cuda => "nvcc",
        }
    }

    /// Variables that people set for a compiler and its flags.
    const fn variables(self) -> (&'static str, &'static str) {
        match self {
            Self::C => ("CC", "CFLAGS"),
            Self::Cpp => ("CXX", "CXXFLAGS"),
            Self::Cuda => ("NVCC", "NVCCFLAGS"),
        }
    }

    const fn flags(self) -> &'static [&'static str] {
        match self {
            Self::C => &["-O3", "-fPIC", "-shared", "-fvisibility=hidden", "-Wall", "-Wextra"],
            Self::Cpp => {
                &["-std=c++17", "-O3", "-fPIC", "-shared", "-fvisibility=hidden", "-Wall", "-Wextra"]
            }
            Self::Cuda => &["-std=c++17", "-O3", "-shared", "-Xcompiler", "-fPIC,-fvisibility=hidden,-Wall"],
        }
    }

    const fn what(self) -> &'static str {
        match self {
            Self::C => "plugins in C",
            Self::Cpp => "plugins in C++",
            Self::Cuda => "plugins in CUDA",
        }
    }

    const fn remedy(self) -> &'static str {
        match self {
            Self::C | Self::Cpp => {
                "install a compiler (`apt install build-essential`, `dnf install gcc gcc-c++`), or name yours in CC or CXX"
            }
            Self::Cuda => {
                "install NVIDIA's CUDA toolkit (`apt install nvidia-cuda-toolkit`), or name its compiler in NVCC"
            }
        }
    }
}

/// The sources that lie directly in a folder, and their language; none where there are none. CUDA's compiler takes C++ as
/// well, and C++'s takes C.
pub(super) fn sources(folder: &Path) -> io::Result<Option<(Language, Vec<PathBuf>)>> {
    let files = output::files_in(folder)?.into_iter();
    let found: Vec<_> = files.filter_map(|file| Some((Language::of(&file)?, file))).collect();
    let has = |wanted| found.iter().any(|(language, _)| *language == wanted);
    let language = [Language::Cuda, Language::Cpp, Language::C].into_iter().find(|language| has(*language));
    Ok(language.map(|language| (language, found.into_iter().map(|(_, path)| path).collect())))
}

/// Compiles them into one library. What was there stays until the new one is complete.
pub(super) fn build(
    language: Language,
    sources: &[PathBuf],
    folder: &Path,
    file: &Path,
    wish: &Wish<'_>,
) -> Result<(), BuildError> {
    if wish.engine == EngineChoice::Wasm {
        return Err(BuildError::Nothing {
            kind: PluginKind::Wasm,
            why: "single sources become a native library; write the command that makes a component into `plugin.toml`"
                .to_owned(),
        });
    }
    let headers = headers(file)?;
    let partial = file.with_extension("partial");
    let (variable, flags) = language.variables();
    let compiler = env::var(variable).ok().filter(|name| !name.is_empty());
    // A compiler may be given with flags of its own: `CC="ccache gcc"`.
    let mut words = compiler.as_deref().unwrap_or(language.word()).split_whitespace();
    let program = words.next().unwrap_or(language.word());
    let (flags, link) = (env::var(flags).unwrap_or_default(), env::var("LDFLAGS").unwrap_or_default());
    let paths: Vec<String> = sources.iter().map(|path| path.to_string_lossy().into_owned()).collect();
    let (own, brought, made) =
        (folder.to_string_lossy(), headers.to_string_lossy(), partial.to_string_lossy());
    let mut arguments: Vec<&str> = words.collect();
    arguments.extend(language.flags());
    arguments.extend(["-I", &own, "-I", &brought]);
    arguments.extend(flags.split_whitespace());
    arguments.extend(["-o", &made]);
    arguments.extend(paths.iter().map(String::as_str));
    arguments.extend(link.split_whitespace());
    let named = format!("{variable} names it: correct that, or unset it");
    let tool = Tool {
        program,
        arguments: &arguments,
        folder,
        environment: &[],
        what: language.what(),
        remedy: if compiler.is_some() { &named } else { language.remedy() },
    };
    tool.act(wish)?;
    fs::rename(&partial, file).map_err(|error| {
        HostFault::new(format!("cannot write `{}`", file.display()), &error, Place::Named).into()
    })
}

/// Writes the headers beside the library. Gives their folder.
fn headers(file: &Path) -> Result<PathBuf, BuildError> {
    let folder = file.with_file_name("include");
    output::write_all(&folder, &HEADERS.map(|(name, text)| (name, text.as_bytes())))?;
    Ok(folder)
}

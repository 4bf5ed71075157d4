//! Components from JavaScript, Python and C: a source against the WIT of dyno, and a descriptor beside it.

use std::{
    env, fmt, fs,
    path::{Path, PathBuf},
};

use dyno_core::model::{EngineChoice, PluginKind};
use wit_bindgen_core::{Files, wit_parser::Resolve};

use super::{component, error::BuildError, output, tool::Tool, wish::Wish};
use crate::fault::{HostFault, Place};

/// The contract of components: the name of its file, and its text.
const WIT: (&str, &str) = ("benchmark.wit", include_str!("../../../plugin-api/wit/v1/benchmark.wit"));
/// What a plugin implements of it.
const WORLD: &str = "benchmark";
/// The descriptor, which these languages cannot put into what they make.
const DESCRIPTORS: [&str; 2] = ["descriptor.toml", "descriptor.json"];

/// Where people name the folder of a WASI SDK.
const SDK: &str = "WASI_SDK_PATH";
/// What the source is called that has the benchmarks, where there are several.
const MAIN: &str = "app";

/// What the source is written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Guest {
    JavaScript,
    Python,
    C,
}

impl Guest {
    const ALL: [Self; 3] = [Self::JavaScript, Self::Python, Self::C];

    fn wrote(self, file: &Path) -> bool {
        let ending = file.extension().and_then(|ending| ending.to_str()).unwrap_or_default();
        match self {
            Self::JavaScript => matches!(ending, "js" | "mjs"),
            Self::Python => ending == "py",
            Self::C => ending == "c",
        }
    }

    /// The tool that builds it.
    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::JavaScript => "componentize-js",
            Self::Python => "componentize-py",
            Self::C => "clang",
        }
    }

    /// Where the tool is installed for the sources below a folder alone.
    const fn place(self) -> Option<&'static str> {
        match self {
            Self::JavaScript => Some("node_modules/.bin"),
            Self::Python => Some(".venv/bin"),
            Self::C => None,
        }
    }

    const fn what(self) -> &'static str {
        match self {
            Self::JavaScript => "components in JavaScript",
            Self::Python => "components in Python",
            Self::C => "components in C",
        }
    }

    const fn remedy(self) -> &'static str {
        match self {
            Self::JavaScript => {
                "install it in this folder: `npm install --save-dev @bytecodealliance/componentize-js`"
            }
            Self::Python => {
                "install it in this folder: `python3 -m venv .venv && .venv/bin/pip install componentize-py`"
            }
            Self::C => {
                "install it with a C library for WASI (`apt install clang lld wasi-libc libclang-rt-dev-wasm32`), or name the \
                 folder of a WASI SDK in WASI_SDK_PATH"
            }
        }
    }
}

impl fmt::Display for Guest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::JavaScript => "JavaScript",
            Self::Python => "Python",
            Self::C => "C",
        })
    }
}

/// The sources of a component.
#[derive(Debug)]
pub(super) struct Sources {
    pub(super) guest: Guest,
    /// One script, or all sources in C.
    files: Vec<PathBuf>,
    descriptor: PathBuf,
}

/// The component that a folder holds the sources of; none where it holds none. A descriptor beside sources in C says that they
/// become a component: a native plugin has its descriptor in its source.
pub(super) fn sources(folder: &Path) -> Result<Option<Sources>, BuildError> {
    let files = output::files_in(folder)
        .map_err(|source| BuildError::NoFolder { folder: folder.to_owned(), source })?;
    let descriptor = DESCRIPTORS.map(|name| folder.join(name)).into_iter().find(|path| path.is_file());
    let Some(descriptor) = descriptor else { return Ok(None) };
    let is_main = |file: &&PathBuf| file.file_stem().is_some_and(|stem| stem == MAIN);
    let refused = |why: String| Err(BuildError::Declaration { file: folder.to_owned(), why });
    let of = |guest: Guest| files.iter().filter(move |file| guest.wrote(file));
    let mut guests: Vec<Guest> = Guest::ALL.into_iter().filter(|guest| of(*guest).next().is_some()).collect();
    if guests.is_empty() {
        return Ok(None);
    }
    if guests.len() > 1 {
        guests.retain(|guest| of(*guest).any(|file| is_main(&file)));
    }
    let [guest] = guests.as_slice() else {
        return refused(format!(
            "has sources in several languages: call the one that exports the benchmarks `{MAIN}`, or write the command that \
             builds it into `plugin.toml`"
        ));
    };
    let mut sources: Vec<PathBuf> = of(*guest).cloned().collect();
    if *guest != Guest::C && sources.len() > 1 {
        let Some(main) = sources.iter().find(is_main).cloned() else {
            return refused(format!(
                "has {} files in {guest}: call the one that exports the benchmarks `{MAIN}`, or write the command that builds \
                 them into `plugin.toml`",
                sources.len()
            ));
        };
        sources = vec![main];
    }
    Ok(Some(Sources { guest: *guest, files: sources, descriptor }))
}

/// Why a folder that nothing else builds is not built, where it has a script without a descriptor.
pub(super) fn undescribed(folder: &Path) -> Option<BuildError> {
    let files = output::files_in(folder).ok()?;
    let scripts = [(Guest::JavaScript, "js"), (Guest::Python, "python")];
    let (guest, word) = scripts.into_iter().find(|(guest, _)| files.iter().any(|file| guest.wrote(file)))?;
    Some(BuildError::Declaration {
        file: folder.to_owned(),
        why: format!(
            "has a source in {guest}, but no `descriptor.toml` (or `.json`) that says which benchmarks it has; `dyno new NAME \
             --lang {word}` writes an example"
        ),
    })
}

impl Sources {
    /// Builds the component, with its descriptor.
    pub(super) fn build(&self, folder: &Path, name: &str, wish: &Wish<'_>) -> Result<PathBuf, BuildError> {
        if wish.engine == EngineChoice::Native {
            return Err(BuildError::Nothing {
                kind: PluginKind::Native,
                why: format!("this folder holds a component in {}; leave out --engine", self.guest),
            });
        }
        let output = folder.join(output::NAME);
        output::make(&output)?;
        let wit = output.join("wit");
        output::write_all(&wit, &[(WIT.0, WIT.1.as_bytes())])?;
        let made = output.join(".partial.wasm");
        match self.guest {
            Guest::JavaScript => {
                let script = &self.files[0];
                // A plugin has nothing of this: it is left out rather than refused when it is called.
                let disabled = ["--disable", "http", "fetch-event"].map(Path::new);
                let (world, out) = (["--world-name", WORLD].map(Path::new), [Path::new("--out"), &made]);
                let arguments: Vec<&Path> =
                    [&[script, Path::new("--wit"), &wit][..], &world, &out, &disabled].concat();
                self.tool(folder, &arguments, wish)?;
            }
            Guest::Python => {
                let script = Path::new(self.files[0].file_stem().unwrap_or_default());
                let [wit_flag, world_flag, world, act, path, out] =
                    ["--wit-path", "--world", WORLD, "componentize", "--python-path", "--output"]
                        .map(Path::new);
                self.tool(
                    folder,
                    &[wit_flag, &wit, world_flag, world, act, script, path, folder, out, &made],
                    wish,
                )?;
            }
            Guest::C => self.compile(folder, &wit, &made, wish)?,
        }
        let finished = component::finished(made, &output, Some(&self.descriptor))?;
        let file = output.join(format!("{name}.wasm"));
        fs::rename(&finished, &file).map_err(|error| {
            HostFault::new(format!("cannot write `{}`", file.display()), &error, Place::Named)
        })?;
        Ok(file)
    }

    /// Compiles C, with bindings that are made here from the WIT.
    fn compile(&self, folder: &Path, wit: &Path, made: &Path, wish: &Wish<'_>) -> Result<(), BuildError> {
        let bindings =
            bindings().map_err(|why| BuildError::Tool { tool: "the bindings for C".to_owned(), why })?;
        let bindings: Vec<(&str, &[u8])> = bindings.iter().collect();
        output::write_all(wit, &bindings)?;
        let brought = bindings.iter().map(|(name, _)| wit.join(name));
        let brought: Vec<PathBuf> = brought
            .filter(|file| file.extension().is_some_and(|ending| ending == "c" || ending == "o"))
            .collect();
        // Debian's C library for WASI lies beside those of the system, that of a WASI SDK in the SDK.
        let flags = [
            "--target=wasm32-wasi",
            "-mexec-model=reactor",
            "-O3",
            "-msimd128",
            "-Wall",
            "-Wextra",
            "-Wno-unused-parameter",
        ]
        .map(Path::new);
        let [include, out] = ["-I", "-o"].map(Path::new);
        let mut arguments = flags.to_vec();
        arguments.extend([include, folder, include, wit, out, made]);
        arguments.extend(self.files.iter().chain(&brought).map(PathBuf::as_path));
        self.tool(folder, &arguments, wish)
    }

    fn tool(&self, folder: &Path, arguments: &[&Path], wish: &Wish<'_>) -> Result<(), BuildError> {
        let words: Vec<_> = arguments.iter().map(|word| word.to_string_lossy()).collect();
        let arguments: Vec<&str> = words.iter().map(AsRef::as_ref).collect();
        let program = self.program(folder);
        // Where the tool may leave what it likes: it may be ended at any moment.
        let scratch = folder.join(output::NAME).join(".scratch");
        output::write_all(&scratch, &[])?;
        let environment = [("TMPDIR", &*scratch.to_string_lossy()), ("RUST_BACKTRACE", "0")];
        let is_named = self.guest == Guest::C && env::var_os(SDK).is_some();
        let acted = Tool {
            program: &program,
            arguments: &arguments,
            folder,
            environment: &environment,
            what: self.guest.what(),
            remedy: if is_named {
                "WASI_SDK_PATH names its folder: correct that, or unset it"
            } else {
                self.guest.remedy()
            },
        }
        .act(wish);
        // What cannot be removed is in nobody's way: version control ignores it, and the next build tries again.
        let _ = fs::remove_dir_all(&scratch);
        acted
    }

    /// The tool of the folder or of one around it, as these languages install tools; otherwise the one in `PATH`.
    fn program(&self, folder: &Path) -> String {
        let word = self.guest.word();
        let own = match self.guest.place() {
            Some(place) => {
                folder.ancestors().map(|around| around.join(place).join(word)).find(|tool| tool.is_file())
            }
            None => env::var_os(SDK).map(|sdk| Path::new(&sdk).join("bin").join(word)),
        };
        own.map_or_else(|| word.to_owned(), |tool| tool.to_string_lossy().into_owned())
    }
}

/// The files that C includes and links to implement the WIT.
fn bindings() -> Result<Files, String> {
    let said = |error: &dyn fmt::Display| format!("{error:#}");
    let mut resolve = Resolve::default();
    let package = resolve.push_str(WIT.0, WIT.1).map_err(|error| said(&error))?;
    let world = resolve.select_world(&[package], Some(WORLD)).map_err(|error| said(&error))?;
    let mut files = Files::default();
    let mut generator = wit_bindgen_c::Opts::default().build();
    generator.generate(&mut resolve, world, &mut files).map_err(|error| said(&error))?;
    Ok(files)
}

//! Inside the plugin: device code, from its source to what the driver loads, by NVRTC.

use std::{
    ffi::{CString, c_char},
    path::Path,
};

use cudarc::nvrtc::{
    result,
    sys::{self, nvrtcProgram},
};
use dyno_sdk::prelude::*;

use super::{
    driver::dotted,
    error,
    libraries::{self, Needed},
};
use crate::geometry::{BLOCK, MAX_BINS};

/// The oldest NVRTC that can be asked which devices it knows, counted as drivers are.
const OLDEST: i32 = 11_020;

/// Device code of a benchmark.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Source {
    name: &'static str,
    text: &'static str,
}

macro_rules! source {
    ($($name:ident: $file:literal)*) => {
        impl Source {
            $(#[allow(missing_docs, reason = "the file says it")]
            pub(crate) const $name: Self = Self {
                name: $file,
                text: concat!(
                    include_str!("../../kernels/prelude.cuh"),
                    include_str!(concat!("../../kernels/", $file))
                ),
            };)*

            /// All of them.
            #[cfg(test)]
            const ALL: &'static [Self] = &[$(Self::$name),*];
        }
    };
}

source! {
    COPY: "copy.cu"
    EMPTY: "empty.cu"
    GEMM: "gemm.cu"
    HISTOGRAM: "histogram.cu"
    LAYERNORM: "layernorm.cu"
    SOFTMAX: "softmax.cu"
    SUM: "sum.cu"
    TRANSPOSE: "transpose.cu"
    TRIAD: "triad.cu"
}

/// What device code is compiled to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Target {
    /// Machine code for exactly this compute capability: 90 is 9.0.
    Machine(i32),
    /// PTX of this compute capability, which a newer device's driver compiles further.
    Portable(i32),
}

impl Target {
    fn option(self) -> String {
        match self {
            Self::Machine(capability) => format!("--gpu-architecture=sm_{capability}"),
            Self::Portable(capability) => format!("--gpu-architecture=compute_{capability}"),
        }
    }
}

/// A compiler that is installed.
#[derive(Debug)]
pub(super) struct Compiler {
    version: i32,
    capabilities: Vec<i32>,
}

impl Compiler {
    /// Opens NVRTC. `driver` is the version of CUDA that the driver speaks.
    pub(super) fn open(driver: i32, folder: Option<&Path>) -> Result<Self, Failure> {
        libraries::open(Needed::Nvrtc, driver / 1000, folder)?;
        let (mut major, mut minor) = (0, 0);
        // SAFETY: NVRTC is there, and this function is in every version of it; it writes two integers.
        let answer = unsafe { sys::nvrtcVersion(&raw mut major, &raw mut minor) };
        answer.result().map_err(error::nvrtc("nvrtcVersion", String::new))?;
        let version = major * 1000 + minor * 10;
        fits(version, driver)?;

        let mut count = 0;
        // SAFETY: this version has the function; it writes one integer.
        let answer = unsafe { sys::nvrtcGetNumSupportedArchs(&raw mut count) };
        answer.result().map_err(error::nvrtc("nvrtcGetNumSupportedArchs", String::new))?;
        let mut capabilities = vec![0; usize::try_from(count).unwrap_or(0)];
        // SAFETY: this version has the function; it writes as many integers as it has just promised.
        let answer = unsafe { sys::nvrtcGetSupportedArchs(capabilities.as_mut_ptr()) };
        answer.result().map_err(error::nvrtc("nvrtcGetSupportedArchs", String::new))?;
        Ok(Self { version, capabilities })
    }

    /// What to compile to for a device of this compute capability.
    pub(super) fn target(&self, capability: i32) -> Result<Target, Failure> {
        if self.capabilities.contains(&capability) {
            return Ok(Target::Machine(capability));
        }
        let below = self.capabilities.iter().copied().filter(|known| *known < capability).max();
        below.map(Target::Portable).ok_or_else(|| {
            let lowest = self.capabilities.iter().min().copied().unwrap_or_default();
            Failure::skipped(format!(
                "the device has compute capability {}, and NVRTC {} compiles for {} and up; install an older NVRTC",
                tenths(capability),
                dotted(self.version),
                tenths(lowest)
            ))
        })
    }

    /// Compiles. What comes back is what `cuModuleLoadData` takes.
    pub(super) fn compile(&self, source: Source, target: Target) -> Result<Vec<u8>, Failure> {
        let text = CString::new(source.text)?;
        let name = CString::new(source.name)?;
        let asked = || format!("{} by NVRTC {}", source.name, dotted(self.version));
        let program =
            result::create_program(&text, Some(&name)).map_err(error::nvrtc("nvrtcCreateProgram", asked))?;
        let program = Program(program);
        let options = [
            target.option(),
            "--std=c++17".to_owned(),
            format!("--define-macro=BLOCK={BLOCK}"),
            format!("--define-macro=MAX_BINS={MAX_BINS}"),
        ];
        // SAFETY: the program lives, and with it its text and its name.
        let compiled = unsafe { result::compile_program(program.0, &options) };
        if let Err(problem) = compiled {
            // SAFETY: the program lives.
            let log = unsafe { result::get_program_log(program.0) };
            let failure = error::nvrtc("nvrtcCompileProgram", || format!("{} {options:?}", asked()))(problem);
            return Err(Failure::error(format!("{failure}\n{}", text_of(&log.unwrap_or_default()))));
        }
        match target {
            Target::Machine(_) => program.machine_code().map_err(error::nvrtc("nvrtcGetCUBIN", asked)),
            Target::Portable(_) => {
                // SAFETY: the program lives and is compiled.
                let ptx = unsafe { result::get_ptx(program.0) };
                let ptx = ptx.map_err(error::nvrtc("nvrtcGetPTX", asked))?;
                Ok(ptx.into_iter().map(byte).collect())
            }
        }
    }
}

/// Refuses a compiler that cannot be asked, and one whose machine code the driver would not load.
fn fits(version: i32, driver: i32) -> Result<(), Failure> {
    if version < OLDEST {
        return Err(Failure::skipped(format!(
            "NVRTC {} is too old; install version {} or newer",
            dotted(version),
            dotted(OLDEST)
        )));
    }
    // Within a major version, drivers load what newer compilers make.
    if version / 1000 > driver / 1000 {
        return Err(Failure::skipped(format!(
            "NVRTC {} makes code that this driver, which speaks CUDA {}, does not load; update the driver or install \
             NVRTC {}",
            dotted(version),
            dotted(driver),
            driver / 1000
        )));
    }
    Ok(())
}

/// 90 as 9.0.
fn tenths(capability: i32) -> String {
    format!("{}.{}", capability / 10, capability % 10)
}

/// A `c_char` is signed on some machines and unsigned on others.
fn byte(character: c_char) -> u8 {
    character.to_ne_bytes()[0]
}

fn text_of(log: &[c_char]) -> String {
    let bytes: Vec<u8> = log.iter().copied().map(byte).take_while(|byte| *byte != 0).collect();
    String::from_utf8_lossy(&bytes).trim().to_owned()
}

/// A program of NVRTC, given back when it is dropped.
struct Program(nvrtcProgram);

impl Program {
    fn machine_code(&self) -> Result<Vec<u8>, result::NvrtcError> {
        let mut size = 0;
        // SAFETY: the program lives and is compiled; the function writes one number.
        let answer = unsafe { sys::nvrtcGetCUBINSize(self.0, &raw mut size) };
        answer.result()?;
        let mut code = vec![0_u8; size];
        // SAFETY: the program lives and is compiled; the function writes as many bytes as it has just promised.
        let answer = unsafe { sys::nvrtcGetCUBIN(self.0, code.as_mut_ptr().cast()) };
        answer.result()?;
        Ok(code)
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // SAFETY: made by `create_program`, and destroyed here only.
        let answer = unsafe { result::destroy_program(self.0) };
        // There is nothing that could be done about it.
        let _ = answer;
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;

    /// A compiler for a driver of the future, so that no version is refused.
    fn compiler() -> Option<Compiler> {
        let folder = std::env::var_os("DYNO_TEST_NVRTC").map(PathBuf::from);
        match Compiler::open(99_000, folder.as_deref()) {
            Ok(compiler) => Some(compiler),
            Err(failure) if failure.is_skipped() => {
                assert!(folder.is_none(), "DYNO_TEST_NVRTC is {folder:?}, and yet: {failure}");
                eprintln!("device code was not compiled: {failure}; `cargo xtask test` obtains NVRTC");
                None
            }
            Err(failure) => panic!("{failure}"),
        }
    }

    #[test]
    fn all_device_code_compiles_to_ptx_and_to_machine_code() {
        let Some(compiler) = compiler() else { return };
        for source in Source::ALL {
            for capability in [75, 80, 90, 100] {
                if !compiler.capabilities.contains(&capability) {
                    eprintln!("NVRTC {} does not know {capability}", dotted(compiler.version));
                    continue;
                }
                let ptx = compiler.compile(*source, Target::Portable(capability)).unwrap();
                let text = String::from_utf8_lossy(&ptx);
                assert!(text.contains(&format!(".target sm_{capability}")), "{}", source.name);
                assert!(text.contains(".visible .entry "), "{} has no kernel", source.name);
                assert_eq!(ptx.last(), Some(&0), "the driver reads PTX up to a zero");
                let code = compiler.compile(*source, Target::Machine(capability)).unwrap();
                assert!(code.starts_with(b"\x7fELF"), "{}", source.name);
            }
        }
    }

    #[test]
    fn every_kernel_that_is_loaded_is_in_its_source() {
        for (source, kernels) in crate::cuda::kernels::NAMES {
            for kernel in *kernels {
                assert!(source.text.contains(&format!("__global__ void {kernel}(")), "{kernel}");
            }
        }
    }

    #[test]
    fn wrong_device_code_fails_with_the_compilers_words() {
        let Some(compiler) = compiler() else { return };
        let source = Source { name: "wrong.cu", text: "__global__ void wrong() { nonsense(); }" };
        let failure = compiler.compile(source, Target::Portable(80)).unwrap_err().to_string();
        assert!(failure.contains("nvrtcCompileProgram for wrong.cu by NVRTC"), "{failure}");
        assert!(failure.contains("wrong.cu(1): error: identifier \"nonsense\" is undefined"), "{failure}");
    }

    #[test]
    fn a_device_that_the_compiler_does_not_know_gets_ptx_of_an_older_one() {
        let compiler = Compiler { version: 12_040, capabilities: vec![50, 80, 90] };
        assert_eq!(compiler.target(80).unwrap(), Target::Machine(80));
        assert_eq!(compiler.target(86).unwrap(), Target::Portable(80));
        assert_eq!(compiler.target(120).unwrap(), Target::Portable(90));
        let failure = compiler.target(35).unwrap_err();
        assert!(failure.is_skipped());
        assert!(
            failure.message().contains("compute capability 3.5, and NVRTC 12.4 compiles for 5.0"),
            "{failure}"
        );
        assert_eq!(Target::Machine(90).option(), "--gpu-architecture=sm_90");
    }

    #[test]
    fn a_compiler_too_new_for_the_driver_is_refused() {
        assert!(fits(12_090, 12_000).is_ok() && fits(11_080, 13_000).is_ok());
        assert!(
            fits(13_000, 12_080).unwrap_err().message().contains("NVRTC 13.0 makes code that this driver")
        );
        assert!(fits(11_000, 12_000).unwrap_err().is_skipped());
    }
}

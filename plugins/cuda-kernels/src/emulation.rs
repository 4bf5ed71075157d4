//! For tests: the kernels themselves, run on the CPU. `emulation/` makes a thread of every CUDA thread and a barrier of
//! every barrier, so that indices, tails and barriers are executed for real where there is no device.

use std::{
    env,
    ffi::OsString,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use crate::geometry::{BLOCK, MAX_BINS};

/// Builds `emulation/kernels.cpp`, with the kernels in `folder`, and runs it. `None`: it cannot be built so here.
fn run(compiler: &OsString, folder: &Path, name: &str, flags: &[&str]) -> Option<Output> {
    let program = env::temp_dir().join(format!("dyno-cuda-{name}-{}", std::process::id()));
    let mut build = Command::new(compiler);
    build.args(["-std=c++17", "-g", "-O1", "-w", "-pthread"]).args(flags);
    build.arg(format!("-DBLOCK={BLOCK}")).arg(format!("-DMAX_BINS={MAX_BINS}"));
    let built = build.arg(folder.join("emulation/kernels.cpp")).arg("-o").arg(&program).output().ok()?;
    if !built.status.success() {
        eprintln!("{}", String::from_utf8_lossy(&built.stderr));
        return None;
    }
    let output = Command::new(&program).output();
    // Litter in the folder of temporary files is no reason to fail.
    let _ = std::fs::remove_file(&program);
    output.ok()
}

fn compiler() -> Option<OsString> {
    let compiler = env::var_os("CXX").unwrap_or_else(|| "c++".into());
    let is_there =
        Command::new(&compiler).arg("--version").output().is_ok_and(|output| output.status.success());
    if !is_there {
        eprintln!("the kernels were not run on the CPU: there is no C++ compiler (CXX, c++)");
    }
    is_there.then_some(compiler)
}

fn here() -> PathBuf {
    PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").expect("Cargo sets it for the tests that it runs"))
}

/// All output of the program.
fn text(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

#[test]
fn every_kernel_is_right_at_sizes_that_are_no_multiples_of_a_block() {
    let Some(compiler) = compiler() else { return };
    let output = run(&compiler, &here(), "right", &[]).expect("the kernels compile as C++");
    assert!(output.status.success() && text(&output).contains("all kernels are right"), "{}", text(&output));
}

/// With a copy in which one barrier is missing, to see that it would be found.
#[test]
fn no_kernel_has_a_race_inside_a_block() {
    let Some(compiler) = compiler() else { return };
    let sanitized = |folder: &Path, name| run(&compiler, folder, name, &["-fsanitize=thread"]);
    let broken = env::temp_dir().join(format!("dyno-cuda-without-a-barrier-{}", std::process::id()));
    let barrier = "        // The next turn writes what this one reads.\n        __syncthreads();\n";
    for folder in ["kernels", "emulation"] {
        std::fs::create_dir_all(broken.join(folder)).unwrap();
        for file in std::fs::read_dir(here().join(folder)).unwrap() {
            let path = file.unwrap().path();
            let text = std::fs::read_to_string(&path).unwrap();
            let is_gemm = path.ends_with("gemm.cu");
            assert!(!is_gemm || text.contains(barrier), "the barrier that is to be taken out has moved");
            std::fs::write(broken.join(folder).join(path.file_name().unwrap()), text.replace(barrier, ""))
                .unwrap();
        }
    }
    let wrong = sanitized(&broken, "broken");
    std::fs::remove_dir_all(&broken).unwrap();
    let race = "WARNING: ThreadSanitizer: data race";
    match wrong {
        Some(wrong) if text(&wrong).contains(race) => {}
        // Compilers without it, and kernels under which it does not start.
        _ => {
            eprintln!("races were not looked for: the thread sanitizer does not work here");
            return;
        }
    }
    let output = sanitized(&here(), "races").expect("it was compiled a moment ago");
    assert!(output.status.success() && !text(&output).contains(race), "{}", text(&output));
}

//! The C header is on the authors' side of the boundary: this keeps it equal to the Rust side.

#![allow(clippy::print_stdout, reason = "a test that is skipped says why")]

use std::{env, fs, path::Path, process::Command};

use dyno_plugin_api::{
    abi::DYNO_ENTRY_SYMBOL,
    layout::{LAYOUT_HASH, LAYOUT_HASH_TEXT, STRUCTS},
};

mod support;

use support::{compare_or_bless, here};

const BANNER: &str = "\
// The contract between dyno and a native plugin, for C, C++ and CUDA. How to use it: sdk/c/README.md.
//
// Generated from plugin-api/src/abi.rs. Do not edit: `DYNO_BLESS=1 cargo test -p dyno-plugin-api` writes it anew.
//
// Rules that hold for every item here:
//
// * Structs are append-only. A struct that starts with `size` may be longer than the reader knows; fields past
//   `size` are absent. `DynoStr`, `DynoParam` and `DynoSample` have no `size` and never change.
// * Every function of a benchmark is called on one thread, never two at once. Functions of `DynoHost` may be
//   called from any thread, from the start of `setup` to the end of `cleanup`.
// * The side that passes a pointer owns its memory, which is valid until the call returns unless stated otherwise.
// * No exception and no `longjmp` crosses the boundary.
";

/// Static asserts of the layout, from the same table as the hash.
fn asserts() -> String {
    let mut out = String::new();
    for item in STRUCTS {
        let name = item.name;
        out.push_str(&format!(
            "DYNO_ASSERT(sizeof({name}) == {}, \"size of {name}\");\n\
             DYNO_ASSERT(DYNO_ALIGNOF({name}) == {}, \"alignment of {name}\");\n",
            item.size, item.align
        ));
        for field in item.fields {
            let field_name = field.name;
            out.push_str(&format!(
                "DYNO_ASSERT(offsetof({name}, {field_name}) == {}, \"offset of {name}.{field_name}\");\n\
                 DYNO_ASSERT(sizeof((({name} *)0)->{field_name}) == {}, \"size of {name}.{field_name}\");\n",
                field.offset, field.size
            ));
        }
    }
    out
}

/// What the generator cannot know: hash, asserts and conveniences.
fn trailer() -> String {
    include_str!("trailer.h")
        .replace("@LAYOUT_HASH@", &format!("{LAYOUT_HASH:#018x}ULL"))
        .replace("@LAYOUT_HASH_TEXT@", &format!("\"{LAYOUT_HASH_TEXT}\""))
        .replace("@ENTRY_SYMBOL@", &format!("\"{DYNO_ENTRY_SYMBOL}\""))
        .replace("@ASSERTS@\n", &asserts())
}

/// The whole header, as it must stand in `include/`.
fn header() -> String {
    let mut config = cbindgen::Config::from_file(here("cbindgen.toml")).expect("cbindgen.toml is readable");
    config.header = Some(BANNER.to_owned());
    let mut bytes = Vec::new();
    cbindgen::Builder::new()
        .with_config(config)
        .with_src(here("src/abi.rs"))
        .generate()
        .expect("src/abi.rs is readable for cbindgen")
        .write(&mut bytes);
    let body = String::from_utf8(bytes).expect("cbindgen writes UTF-8");
    let (body, guard) = body.rsplit_once("#endif").expect("cbindgen.toml asks for an include guard");
    // Links of rustdoc and the names of Rust's types mean nothing in C.
    let body = body.replace("[`", "`").replace("`]", "`").replace("::", ".").replace("`i32`", "`int32_t`");
    format!("{body}{}\n#endif{guard}", trailer())
}

#[test]
fn the_header_is_the_abi() {
    compare_or_bless("include/dyno_plugin.h", &header());
}

/// Compiles a file that includes the header, and returns what the compiler said when it refused.
fn compile(compiler: &str, standard: &str, source: &Path) -> Option<String> {
    let output = Command::new(compiler)
        .args([standard, "-Wall", "-Wextra", "-Wpedantic", "-Werror", "-fPIC", "-c", "-o", "/dev/null", "-I"])
        .arg(here("include"))
        .arg("-I")
        .arg(here("../sdk/c"))
        .arg(source)
        .output();
    match output {
        Ok(output) if output.status.success() => None,
        Ok(output) => Some(String::from_utf8_lossy(&output.stderr).into_owned()),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            println!(
                "skipped: there is no `{compiler}` on this machine, so the header was not compiled with it"
            );
            None
        }
        Err(error) => Some(format!("`{compiler}` cannot be started: {error}")),
    }
}

#[test]
fn header_wrapper_and_examples_compile_as_c11_and_cpp17_without_warnings() {
    let cases = [
        ("cc", "-std=c11", "tests/header/every_convenience.c"),
        ("c++", "-std=c++17", "tests/header/every_convenience.cpp"),
        ("cc", "-std=c11", "../examples/hello-c/hello.c"),
        ("c++", "-std=c++17", "../examples/hello-cpp/hello.cpp"),
        ("c++", "-std=c++17", "../examples/throws-cpp/throws.cpp"),
    ];
    for (compiler, standard, path) in cases {
        if let Some(message) = compile(compiler, standard, &here(path)) {
            panic!("{compiler} {standard} refuses {path}:\n{message}");
        }
    }
}

/// An assert that could not fail would prove nothing: a header with one wrong offset must be refused.
#[test]
fn a_layout_that_differs_does_not_compile() {
    if Command::new("cc").arg("--version").output().is_err() {
        println!("skipped: there is no `cc` on this machine");
        return;
    }
    let broken = header().replacen("uint64_t seed;", "uint32_t seed;", 1);
    let dir = env::temp_dir().join(format!("dyno-header-{}", std::process::id()));
    fs::create_dir_all(&dir).expect("the temporary directory is writable");
    let file = dir.join("broken.c");
    fs::write(&file, broken).expect("the temporary directory is writable");
    let message = compile("cc", "-std=c11", &file);
    fs::remove_dir_all(&dir).expect("it was made above");
    let message = message.expect("a wrong layout must be refused");
    assert!(message.contains("size of DynoHost.seed"), "{message}");
}

//! Tells the linker where the code of the `dyno-worker` binary lies.

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    // At a fixed place, as it is anyway unless a user asks for `--random-layout`: the loader then has no addresses to write into
    // the tables of a program that is started for every launch. Plugins, heap and stack still go where they are told.
    println!("cargo:rustc-link-arg-bins=-no-pie");
}

//! ELF files: whether they are whole libraries for this machine, and their descriptor section. A truncated library is a
//! SIGBUS in the dynamic linker, not an error, so it must never get there.

use std::{iter, ops::Range};

use dyno_plugin_api::{descriptor::Build, section};

use object::{
    Architecture, Endianness, FileKind, Object, ObjectKind, ObjectSection, ObjectSymbol, elf,
    read::elf::{ElfFile64, FileHeader, ProgramHeader},
};

use super::NotAPlugin;

/// Part of the name of the table that a procedural macro exports.
const MACROS: &[u8] = b"rustc_proc_macro_decls";

/// What a library asks of the dynamic linker.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Linkage {
    /// The name by which other libraries need it (`DT_SONAME`).
    pub soname: Option<String>,
    /// The names of the libraries that it needs (`DT_NEEDED`).
    pub needed: Vec<String>,
    /// Where they are looked for first (`DT_RUNPATH`, or else `DT_RPATH`). // eg: "$ORIGIN"
    pub search: Vec<String>,
}

/// The bytes of the descriptor of a library that [`whole`] finds whole.
pub(super) fn descriptor_section(bytes: &[u8]) -> Result<&[u8], NotAPlugin> {
    let broken = |error: object::Error| NotAPlugin::Broken(format!("the library is broken: {error}"));
    let file = ElfFile64::<Endianness>::parse(bytes).map_err(broken)?;
    let Some(section) = file.section_by_name(section::ELF) else {
        let is_macro = file.dynamic_symbols().any(|symbol| {
            symbol.name_bytes().is_ok_and(|name| name.windows(MACROS.len()).any(|part| part == MACROS))
        });
        return Err(if is_macro { NotAPlugin::ForCompiler } else { NotAPlugin::Foreign });
    };
    section.data().map_err(broken)
}

/// What the C header left in a library about how it was compiled, where it did: see [`section::ELF_BUILD`].
pub(super) fn build(bytes: &[u8]) -> Option<Build> {
    let file = ElfFile64::<Endianness>::parse(bytes).ok()?;
    Build::from_section(file.section_by_name(section::ELF_BUILD)?.data().ok()?)
}

/// Checks that the bytes are a whole shared library for this machine.
///
/// # Errors
/// A sentence that says what they are instead.
pub fn check_elf(bytes: &[u8]) -> Result<(), String> {
    check_machine(bytes)?;
    whole(bytes).map(drop)
}

/// Checks that the bytes are of a file for this machine, whole or not.
pub(super) fn check_machine(bytes: &[u8]) -> Result<(), String> {
    match parsed(bytes)?.architecture() {
        OURS => Ok(()),
        other => Err(format!("the library is for {other:?}, this machine is {OURS:?}")),
    }
}

/// Checks that the bytes are a whole shared library, for whatever processor, which it returns.
///
/// # Errors
/// A sentence that says what they are instead.
pub(super) fn whole(bytes: &[u8]) -> Result<Architecture, String> {
    let file = parsed(bytes)?;
    if file.kind() != ObjectKind::Dynamic {
        return Err(format!("the ELF file is {:?}; expected a shared library", file.kind()));
    }
    let length = bytes.len() as u64;
    let endian = file.endian();
    let truncated = |what: &str, offset: u64, size: u64| {
        format!(
            "the library is truncated: {what} reaches to byte {}, the file has {length}",
            offset.saturating_add(size)
        )
    };
    let outside = |offset: u64, size: u64| offset.checked_add(size).is_none_or(|end| end > length);
    for segment in file.elf_program_headers() {
        let (offset, size) = (segment.p_offset(endian), segment.p_filesz(endian));
        if outside(offset, size) {
            return Err(truncated("a segment", offset, size));
        }
    }
    for section in file.sections() {
        if let Some((offset, size)) = section.file_range()
            && outside(offset, size)
        {
            return Err(truncated("a section", offset, size));
        }
    }
    let header = file.elf_header();
    let (offset, size) =
        (header.e_shoff(endian), u64::from(header.e_shnum(endian)) * u64::from(header.e_shentsize(endian)));
    if outside(offset, size) {
        return Err(truncated("the section table", offset, size));
    }
    Ok(file.architecture())
}

/// What a whole library asks of the dynamic linker.
///
/// # Errors
/// When its dynamic section is broken.
pub fn linkage(bytes: &[u8]) -> Result<Linkage, String> {
    let broken = |error: object::Error| format!("the library's dynamic section is broken: {error}");
    let file = ElfFile64::<Endianness>::parse(bytes).map_err(broken)?;
    let table = file.elf_section_table().dynamic_table(file.endian(), bytes).map_err(broken)?;
    let (mut found, mut old_search) = (Linkage::default(), Vec::new());
    for entry in &table {
        let text =
            || table.string(entry).map(|text| String::from_utf8_lossy(text).into_owned()).map_err(broken);
        let list = || text().map(|list| list.split(':').map(str::to_owned).collect());
        match entry.tag {
            elf::DT_SONAME => found.soname = Some(text()?),
            elf::DT_NEEDED => found.needed.push(text()?),
            elf::DT_RUNPATH => found.search = list()?,
            elf::DT_RPATH => old_search = list()?,
            _ => {}
        }
    }
    // As the dynamic linker does.
    if found.search.is_empty() {
        found.search = old_search;
    }
    Ok(found)
}

/// The parts of a library that the dynamic linker reads, in whole pages and in the order of the file, from the first bytes of it and its
/// length. The rest is for debuggers and linkers. What begins like no library is one part.
#[must_use]
pub fn loaded_parts(beginning: &[u8], length: u64) -> Vec<Range<u64>> {
    let whole = || iter::once(0..length).collect();
    segments(beginning).map_or_else(whole, |segments| united(segments, length))
}

/// The program headers themselves, and what they point to: what is mapped, and notes. `None` if they are not there.
fn segments(beginning: &[u8]) -> Option<Vec<Range<u64>>> {
    let header = elf::FileHeader64::<Endianness>::parse(beginning).ok()?;
    let endian = header.endian().ok()?;
    let headers = header.program_headers(endian, beginning).ok()?;
    let table = 0..header.e_phoff(endian).saturating_add(size_of_val(headers) as u64);
    let pages = headers.iter().map(|segment| {
        // What is mapped are whole pages, of a size that only the kernel of the machine knows.
        let page = segment.p_align(endian).clamp(PAGES.start, PAGES.end).next_power_of_two();
        let end = segment.p_offset(endian).saturating_add(segment.p_filesz(endian));
        segment.p_offset(endian) / page * page..end.checked_next_multiple_of(page).unwrap_or(end)
    });
    Some(iter::once(table).chain(pages).collect())
}

/// The smallest pages that there are, and the largest that a library is mapped in [bytes].
const PAGES: Range<u64> = 1 << 12..1 << 16;

/// The same in the order of the file, and within it. What overlaps is one part.
fn united(mut parts: Vec<Range<u64>>, length: u64) -> Vec<Range<u64>> {
    parts.sort_by_key(|part| part.start);
    let mut united: Vec<Range<u64>> = Vec::new();
    for part in parts.into_iter().map(|part| part.start..part.end.min(length)) {
        match united.last_mut() {
            Some(last) if part.start <= last.end => last.end = last.end.max(part.end),
            _ if part.is_empty() => {}
            _ => united.push(part),
        }
    }
    united
}

fn parsed(bytes: &[u8]) -> Result<ElfFile64<'_, Endianness>, String> {
    if bytes.is_empty() {
        return Err("the file is empty".to_owned());
    }
    match FileKind::parse(bytes) {
        Ok(FileKind::Elf64) => {}
        Ok(other) => return Err(format!("the file is {other:?}; expected a 64-bit ELF shared library")),
        Err(_) => {
            return Err("the file is not a library; expected a 64-bit ELF shared library".to_owned());
        }
    }
    ElfFile64::parse(bytes).map_err(|error| format!("the ELF file is broken or truncated: {error}"))
}

#[cfg(target_arch = "x86_64")]
pub(super) const OURS: Architecture = Architecture::X86_64;
#[cfg(target_arch = "aarch64")]
pub(super) const OURS: Architecture = Architecture::Aarch64;
#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
pub(super) const OURS: Architecture = Architecture::Unknown;

#[cfg(test)]
mod tests {
    use std::slice;

    use super::*;

    #[test]
    fn what_is_no_library_is_named() {
        for (bytes, expected) in [
            (&b""[..], "empty"),
            (b"hello, I am a text", "is not a library"),
            (b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0\x03\0", "broken or truncated"),
            (b"\0asm\x01\0\0\0", "is not a library"),
        ] {
            let message = check_elf(bytes).unwrap_err();
            assert!(message.contains(expected), "{message}");
        }
    }

    #[test]
    fn our_own_executable_is_whole_but_every_cut_of_it_is_not() {
        // A position-independent executable has the type of a shared library.
        let bytes = std::fs::read(std::env::current_exe().unwrap()).unwrap();
        assert_eq!(check_elf(&bytes), Ok(()));
        for share in [2, 3, 5, 100] {
            let cut = &bytes[..bytes.len() - bytes.len() / share];
            assert!(check_elf(cut).is_err(), "cut by 1/{share}");
        }
        assert!(check_elf(&bytes[..bytes.len() - 1]).is_err());
    }

    #[test]
    fn what_a_library_needs_is_read() {
        let bytes = std::fs::read(std::env::current_exe().unwrap()).unwrap();
        let found = linkage(&bytes).unwrap();
        assert!(found.needed.iter().any(|name| name.starts_with("libc.so")), "{found:?}");
        assert_eq!(found.soname, None, "a program has no such name");
        for end in (0..bytes.len()).step_by(bytes.len() / 50) {
            let _ = linkage(&bytes[..end]);
        }
    }

    #[test]
    fn only_what_is_loaded_is_a_part_to_load() {
        let bytes = std::fs::read(std::env::current_exe().unwrap()).unwrap();
        let length = bytes.len() as u64;
        let file = parsed(&bytes).unwrap();
        let loaded = |parts: &[Range<u64>], offset: u64, size: u64| {
            parts.iter().any(|part| part.start <= offset && offset + size <= part.end)
        };
        let parts = loaded_parts(&bytes[..4096], length);
        for segment in file.elf_program_headers() {
            let (offset, size) = (segment.p_offset(file.endian()), segment.p_filesz(file.endian()));
            assert!(size == 0 || loaded(&parts, offset, size), "{offset} {size}: {parts:?}");
        }
        let (table, _) = file.section_by_name(".symtab").unwrap().file_range().unwrap();
        assert!(!loaded(&parts, table.next_multiple_of(4096), 1), "the symbols of debuggers are not loaded");
        assert!(parts.windows(2).all(|two| two[0].end < two[1].start), "{parts:?}");
        // Of a shorter file, no more than is there.
        assert_eq!(loaded_parts(&bytes[..4096], 5000), slice::from_ref(&(0..5000)));
    }

    #[test]
    fn what_begins_like_no_library_is_loaded_whole() {
        let bytes = std::fs::read(std::env::current_exe().unwrap()).unwrap();
        // The program headers are behind the first of these, and there is nothing in the second.
        for beginning in [&bytes[..70], &[], b"\0asm\x01\0\0\0"] {
            assert_eq!(loaded_parts(beginning, 1234), slice::from_ref(&(0..1234)));
        }
    }

    #[test]
    fn another_machine_is_named() {
        let mut bytes = std::fs::read(std::env::current_exe().unwrap()).unwrap();
        // e_machine: RISC-V.
        bytes[18..20].copy_from_slice(&243u16.to_le_bytes());
        let message = check_elf(&bytes).unwrap_err();
        assert!(message.contains("Riscv64"), "{message}");
    }

    proptest::proptest! {
        #[test]
        fn hostile_headers_never_panic(noise in proptest::collection::vec(proptest::num::u8::ANY, 0..400)) {
            let mut bytes = b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0\x03\0\x3e\0\x01\0\0\0".to_vec();
            bytes.extend(noise);
            let _ = check_elf(&bytes);
            let _ = linkage(&bytes);
            let parts = loaded_parts(&bytes, 300);
            proptest::prop_assert!(parts.iter().all(|part| part.start < part.end && part.end <= 300));
        }
    }
}

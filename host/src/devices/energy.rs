//! Counters of energy: which there are, and what they say. They count the whole machine, not one process.

use dyno_core::model::EnergyCounter;

use super::files::Files;

/// The kernel's folder of these counters.
const FOLDER: &str = "sys/class/powercap";

/// The counters of whole packages: the parts of a package are in it already.
pub(super) fn counters(files: &Files) -> Vec<EnergyCounter> {
    let names = files.names(FOLDER).into_iter();
    let zones = names.filter(|name| name.matches(':').count() == 1 && name.contains("rapl:"));
    zones
        .map(|zone| {
            let file = format!("{FOLDER}/{zone}/energy_uj");
            EnergyCounter {
                name: files.text(&format!("{FOLDER}/{zone}/name")).unwrap_or(zone),
                unreadable: files.read(&file).err().map(|error| error.to_string()),
                file: format!("/{file}"),
            }
        })
        .collect()
}

/// The counters at one time [µJ], and where each begins anew.
type Reading = Vec<(u64, u64)>;

/// Energy of the whole machine from one time to another.
#[derive(Debug)]
pub struct EnergyMeter {
    files: Files,
    begin: Result<Reading, String>,
}

impl EnergyMeter {
    /// Reads the counters.
    #[must_use]
    pub fn start() -> Self {
        Self::over(Files::of_this_machine())
    }

    fn over(files: Files) -> Self {
        let begin = read(&files);
        Self { files, begin }
    }

    /// Reads them again: the energy in between [J].
    ///
    /// # Errors
    /// A sentence that says why it is not known.
    pub fn stop(self) -> Result<f64, String> {
        let (begin, end) = (self.begin?, read(&self.files)?);
        if begin.len() != end.len() {
            return Err(
                "energy is not known: counters appeared or disappeared during the measurement".to_owned()
            );
        }
        let used =
            begin.iter().zip(&end).map(|((before, range), (after, _))| match after.checked_sub(*before) {
                Some(used) => used,
                // The counter began anew, once: it lasts for minutes.
                None => range.saturating_sub(*before).saturating_add(*after),
            });
        Ok(used.sum::<u64>() as f64 / 1e6)
    }
}

fn read(files: &Files) -> Result<Reading, String> {
    let counters = counters(files);
    if counters.is_empty() {
        return Err("energy is not measured: the kernel has no RAPL counter on this machine".to_owned());
    }
    counters
        .iter()
        .map(|counter| {
            if let Some(why) = &counter.unreadable {
                return Err(format!(
                    "energy is not measured: {} cannot be read ({why}); `dyno doctor` suggests a remedy",
                    counter.file
                ));
            }
            let range = counter.file.replace("energy_uj", "max_energy_range_uj");
            files
                .number(&counter.file)
                .map(|now| (now, files.number(&range).unwrap_or(u64::MAX)))
                .ok_or_else(|| format!("energy is not measured: {} does not contain a number", counter.file))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packages_are_counters_and_their_parts_are_not() {
        let root = tempfile::tempdir().unwrap();
        for (zone, name) in [("intel-rapl:0", "package-0"), ("intel-rapl:0:0", "core"), ("intel-rapl", "")] {
            let folder = root.path().join(FOLDER).join(zone);
            std::fs::create_dir_all(&folder).unwrap();
            std::fs::write(folder.join("name"), name).unwrap();
        }
        std::fs::write(root.path().join(FOLDER).join("intel-rapl:0/energy_uj"), "5\n").unwrap();
        let found = counters(&Files::below(root.path()));
        assert_eq!(found.len(), 1);
        assert_eq!((found[0].name.as_str(), &found[0].unreadable), ("package-0", &None));
        std::fs::remove_file(root.path().join(FOLDER).join("intel-rapl:0/energy_uj")).unwrap();
        assert!(counters(&Files::below(root.path()))[0].unreadable.is_some());
    }

    #[test]
    fn energy_is_what_the_counters_moved_even_past_their_end() {
        let root = tempfile::tempdir().unwrap();
        let folder = root.path().join(FOLDER).join("intel-rapl:0");
        std::fs::create_dir_all(&folder).unwrap();
        let set = |value: &str| std::fs::write(folder.join("energy_uj"), value).unwrap();
        std::fs::write(folder.join("max_energy_range_uj"), "10000000").unwrap();
        let files = Files::below(root.path());
        set("1000000");
        let meter = EnergyMeter::over(files.clone());
        set("3500000");
        assert_eq!(meter.stop(), Ok(2.5));
        set("9000000");
        let meter = EnergyMeter::over(files.clone());
        set("1000000");
        assert_eq!(meter.stop(), Ok(2.0));
        set("nonsense");
        assert!(EnergyMeter::over(files).stop().unwrap_err().contains("does not contain a number"));
        let none = tempfile::tempdir().unwrap();
        assert!(EnergyMeter::over(Files::below(none.path())).stop().unwrap_err().contains("no RAPL counter"));
    }
}

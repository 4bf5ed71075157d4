//! The answer of a probe, which is checked to be a list of devices, because a broken driver may make it print anything.

use dyno_core::model::{DeviceInfo, DeviceKind};

/// Maximum number of devices of a kind: no machine has more.
const MOST: usize = 64;
/// Maximum length of a text that is kept [characters].
const LONGEST: usize = 500;

/// The devices of `kind`, numbered from 0, or one that says why there are none.
pub(super) fn read(kind: DeviceKind, bytes: &[u8]) -> Result<Vec<DeviceInfo>, String> {
    let mut devices: Vec<DeviceInfo> = serde_json::from_slice(bytes)
        .map_err(|error| format!("its answer is not a list of devices: {error}"))?;
    if devices.is_empty() || devices.len() > MOST {
        return Err(format!("its answer lists {} devices; 1 to {MOST} are possible", devices.len()));
    }
    let absent = devices.len() == 1 && devices.iter().all(|device| device.unavailable.is_some());
    for (device, index) in devices.iter_mut().zip(0..) {
        let expected = if absent { DeviceInfo::unavailable(kind, "") } else { DeviceInfo::new(kind, index) };
        let is_expected = (device.kind, device.index, &device.name) == (kind, expected.index, &expected.name)
            && (absent || device.unavailable.is_none());
        if !is_expected {
            let name: String = device.name.chars().take(LONGEST).collect();
            return Err(format!(
                "its answer names `{}`, but `{}` was expected",
                printable(&name),
                expected.name
            ));
        }
        clean(device);
    }
    Ok(devices)
}

/// Texts come from drivers and end on terminals.
fn clean(device: &mut DeviceInfo) {
    device.model = printable(&device.model);
    let texts = [
        &mut device.driver,
        &mut device.interface,
        &mut device.compute,
        &mut device.pci,
        &mut device.uuid,
        &mut device.remark,
        &mut device.unavailable,
    ];
    for text in texts.into_iter().flatten() {
        *text = printable(text);
    }
    if let Some(live) = &mut device.live {
        live.throttled_by.truncate(MOST);
        live.throttled_by.iter_mut().for_each(|reason| *reason = printable(reason));
    }
}

fn printable(text: &str) -> String {
    text.chars().take(LONGEST).map(dyno_core::text::visible).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taken(text: &str) -> Result<Vec<String>, String> {
        read(DeviceKind::Cuda, text.as_bytes())
            .map(|devices| devices.iter().map(|device| format!("{} {}", device.name, device.model)).collect())
    }

    #[test]
    fn a_list_of_devices_is_taken_and_made_printable() {
        let two = r#"[{"name":"cuda:0","kind":"cuda","index":0,"model":"A\u001b[2J"},
                      {"name":"cuda:1","kind":"cuda","index":1,"model":"B"}]"#;
        assert_eq!(taken(two).unwrap(), ["cuda:0 A\u{fffd}[2J", "cuda:1 B"]);
        let none = r#"[{"name":"cuda","kind":"cuda","index":0,"unavailable":"no driver"}]"#;
        assert_eq!(taken(none).unwrap(), ["cuda "]);
    }

    #[test]
    fn anything_else_is_refused() {
        let device = |name: &str, kind: &str, index: u32| {
            format!(r#"{{"name":"{name}","kind":"{kind}","index":{index}}}"#)
        };
        let list = |devices: &[String]| format!("[{}]", devices.join(","));
        let wrong = [
            String::new(),
            "[]".to_owned(),
            "{}".to_owned(),
            list(&[device("rocm:0", "rocm", 0)]),
            list(&[device("cuda:1", "cuda", 1)]),
            list(&[device("cuda:0", "cuda", 0), device("cuda:0", "cuda", 0)]),
            list(&vec![device("cuda:0", "cuda", 0); 65]),
            list(&[
                device("cuda:0", "cuda", 0),
                r#"{"name":"cuda:1","kind":"cuda","index":1,"unavailable":"x"}"#.to_owned(),
            ]),
        ];
        for text in wrong {
            assert!(taken(&text).unwrap_err().contains("answer"), "{text}");
        }
    }
}

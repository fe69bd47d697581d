//! Credentials and certificates from files: a secret as an argument would be shown by `ps`.

use std::{fs::File, io::Read, path::Path};

use zeroize::Zeroizing;

use crate::cli::failure::Failure;

/// Longer than any chain of certificates.
const LONGEST: u64 = 512 * 1024;

/// Reads a file that holds a secret alone, and drops a newline at its end.
pub(super) fn secret(flag: &str, path: &Path) -> Result<Zeroizing<String>, Failure> {
    let mut text = pem(flag, path)?;
    let end = text.strip_suffix("\r\n").or_else(|| text.strip_suffix('\n')).map_or(text.len(), str::len);
    text.truncate(end);
    if text.is_empty() {
        return Err(Failure::refused(format!("{flag} {} is empty", path.display())));
    }
    Ok(text)
}

/// Reads a file of certificates or a key.
pub(super) fn pem(flag: &str, path: &Path) -> Result<Zeroizing<String>, Failure> {
    let refused = |reason: &dyn std::fmt::Display| Failure::refused(format!("{flag} {} {reason}", path.display()));
    let file = File::open(path).map_err(|fault| refused(&format!("can't be read: {fault}")))?;
    let mut text = Zeroizing::new(String::new());
    file.take(LONGEST + 1).read_to_string(&mut text).map_err(|fault| refused(&format!("can't be read: {fault}")))?;
    if text.len() as u64 > LONGEST {
        return Err(refused(&format!("is longer than {LONGEST} bytes")));
    }
    Ok(text)
}

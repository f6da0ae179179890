//! How far it is, for a person who waits.

use std::io::{IsTerminal as _, Write as _, stderr};

/// How many characters the bar is long.
const WIDTH: usize = 30;

/// A bar on standard error, if a person sees it.
#[derive(Debug, Default)]
pub struct Progress {
    what: &'static str,
    done: usize,
    all: usize,
    shown: bool,
}

impl Progress {
    /// A bar where standard error is a terminal, nothing elsewhere.
    #[must_use]
    pub fn on_terminal() -> Self {
        Self { shown: stderr().is_terminal(), ..Self::default() }
    }

    /// Begins anew, with so many steps ahead.
    pub fn expect(&mut self, what: &'static str, steps: usize) {
        self.end();
        (self.what, self.done, self.all) = (what, 0, steps);
        self.show();
    }

    /// One step is done.
    pub fn step(&mut self) {
        self.done = self.done.saturating_add(1);
        self.show();
    }

    /// Takes the bar away.
    pub fn end(&mut self) {
        if self.shown && self.all > 0 {
            print("\r\x1b[K");
        }
    }

    fn show(&self) {
        if self.shown {
            print(&format!("\r\x1b[K{}", self.line()));
        }
    }

    fn line(&self) -> String {
        let full = self.done.saturating_mul(WIDTH).checked_div(self.all).unwrap_or_default();
        let bar = format!("{:WIDTH$}", "=".repeat(full.min(WIDTH)));
        format!("[{bar}] {}/{} {}", self.done, self.all, self.what)
    }
}

fn print(text: &str) {
    let mut error = stderr();
    // A bar that cannot be seen is no loss.
    match error.write_all(text.as_bytes()).and_then(|()| error.flush()) {
        Ok(()) | Err(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use super::Progress;

    #[test]
    fn the_bar_fills_up() {
        let line = |done, all| Progress { what: "x", done, all, shown: false }.line();
        assert_eq!(line(0, 0), format!("[{:30}] 0/0 x", ""));
        assert_eq!(line(1, 2), format!("[{:30}] 1/2 x", "=".repeat(15)));
        assert_eq!(line(3, 2), format!("[{}] 3/2 x", "=".repeat(30)));
    }
}

//! The terminal during a session: lines are painted on a screen of their own, and keys are read. What was on the terminal
//! before is there again afterwards.

use std::{
    io::{self, IsTerminal, Write},
    time::Duration,
};

use crossterm::{
    cursor::{Hide, MoveTo, Show},
    event::{self, KeyCode, KeyEvent, KeyEventKind, KeyModifiers},
    queue,
    style::{Attribute, Color, Print, ResetColor, SetAttribute, SetForegroundColor},
    terminal::{
        BeginSynchronizedUpdate, Clear, ClearType, EndSynchronizedUpdate, EnterAlternateScreen,
        LeaveAlternateScreen, disable_raw_mode, enable_raw_mode, size,
    },
};

use super::view::{Line, Look};
use crate::{
    cli::{Failure, output},
    fault::{HostFault, Place},
};

/// The size of a terminal that does not tell its own: columns and lines.
const SIZE: (u16, u16) = (80, 24);

/// A key that means something here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Key {
    Char(char),
    Enter,
    Escape,
    Backspace,
    /// Ctrl-C.
    Interrupt,
    /// The terminal has another size: everything has to be painted again.
    Resized,
}

/// The screen. The terminal is as it was when this is dropped.
#[derive(Debug)]
pub(super) struct Screen {
    has_colours: bool,
}

impl Screen {
    /// Takes the terminal over.
    pub(super) fn open() -> Result<Self, Failure> {
        if !(io::stdin().is_terminal() && io::stdout().is_terminal()) {
            return Err(Failure::Usage(
                "`dyno dev` needs a terminal for its screen and its keys; --headless writes JSON instead"
                    .to_owned(),
            ));
        }
        enable_raw_mode().map_err(|error| fault(&error))?;
        // From here on dropping it puts the terminal back.
        let screen = Self { has_colours: std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty()) };
        let mut out = io::stdout().lock();
        queue!(out, EnterAlternateScreen, Hide).and_then(|()| out.flush()).map_err(|error| fault(&error))?;
        Ok(screen)
    }

    /// Columns and lines.
    pub(super) fn size(&self) -> (usize, usize) {
        let (columns, lines) =
            size().ok().filter(|(columns, lines)| *columns > 0 && *lines > 0).unwrap_or(SIZE);
        (usize::from(columns), usize::from(lines))
    }

    /// Paints lines from the top. What a plugin or a tool wrote cannot control the terminal.
    pub(super) fn paint(&self, lines: &[Line]) -> Result<(), Failure> {
        let mut out = io::BufWriter::new(io::stdout().lock());
        let mut painted = || -> io::Result<()> {
            queue!(out, BeginSynchronizedUpdate)?;
            for (row, line) in (0_u16..).zip(lines) {
                queue!(out, MoveTo(0, row))?;
                self.look(&mut out, line.look)?;
                queue!(out, Print(output::lines(&line.text)), ResetColor, SetAttribute(Attribute::Reset))?;
                queue!(out, Clear(ClearType::UntilNewLine))?;
            }
            queue!(out, EndSynchronizedUpdate)?;
            out.flush()
        };
        painted().map_err(|error| fault(&error))
    }

    fn look(&self, out: &mut impl Write, look: Look) -> io::Result<()> {
        match look {
            Look::Plain => Ok(()),
            Look::Faint => queue!(out, SetAttribute(Attribute::Dim)),
            Look::Strong => queue!(out, SetAttribute(Attribute::Bold)),
            Look::Good if self.has_colours => queue!(out, SetForegroundColor(Color::Green)),
            Look::Bad if self.has_colours => queue!(out, SetForegroundColor(Color::Red)),
            Look::Good | Look::Bad => queue!(out, SetAttribute(Attribute::Bold)),
        }
    }

    /// The next key, if one is pressed in this time.
    pub(super) fn key(&self, at_most: Duration) -> Result<Option<Key>, Failure> {
        let next = || -> io::Result<Option<Key>> {
            if !event::poll(at_most)? {
                return Ok(None);
            }
            Ok(match event::read()? {
                event::Event::Key(key) => meant(key),
                event::Event::Resize(..) => Some(Key::Resized),
                _ => None,
            })
        };
        next().map_err(|error| fault(&error))
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        let mut out = io::stdout().lock();
        // A terminal that has gone needs nothing.
        let _ = queue!(out, Show, LeaveAlternateScreen).and_then(|()| out.flush());
        let _ = disable_raw_mode();
    }
}

fn meant(key: KeyEvent) -> Option<Key> {
    if key.kind == KeyEventKind::Release {
        return None;
    }
    match key.code {
        KeyCode::Char('c') if key.modifiers.contains(KeyModifiers::CONTROL) => Some(Key::Interrupt),
        KeyCode::Char(c) if !key.modifiers.intersects(KeyModifiers::CONTROL | KeyModifiers::ALT) => {
            Some(Key::Char(c))
        }
        KeyCode::Enter => Some(Key::Enter),
        KeyCode::Esc => Some(Key::Escape),
        KeyCode::Backspace => Some(Key::Backspace),
        _ => None,
    }
}

fn fault(error: &io::Error) -> Failure {
    HostFault::new("cannot use the terminal", error, Place::Machine).into()
}

//! `dyno dev`: builds what a developer saves, and says at once whether it became faster or slower.

mod control;
mod engine;
mod headless;
mod news;
mod screen;
mod view;

use std::{
    process::ExitCode,
    sync::mpsc::{self, Receiver, RecvTimeoutError, Sender, TryRecvError},
    thread,
    time::Duration,
};

use dyno_core::model::{Layout, Pages};

use self::{
    control::Control,
    engine::{Engine, Plan},
    news::{News, Order},
    screen::{Key, Screen},
    view::{Asks, Prompt, View, matching},
};
use super::{Failure, ab, args::DevArgs, exit_code::End, output, run, terminal};
use crate::app::{App, Bell, Cancel, DuelOptions, Edited, Sources, Tools, Unusable};

/// How long a key is waited for before news are looked at.
const TICK: Duration = Duration::from_millis(30);

pub(super) fn execute(app: &App, args: &DevArgs) -> Result<ExitCode, Failure> {
    let tools = Tools { engine: args.tools.engine(), patience: args.tools.patience()? };
    let shop = app.workshop(&args.what, tools)?;
    let options = || {
        Ok(DuelOptions {
            threshold: args.decision.threshold()?,
            alpha: args.decision.alpha()?,
            budget: ab::budget(&args.budget)?,
            settings: ab::settings(app.settings(), &args.launch, (Layout::default(), Pages::default()))?,
        })
    };
    // Refused before the screen opens.
    options()?;
    args.cases.requests(Vec::new())?;
    let edited = shop.edited().clone();
    let bell = Bell::new().map_err(|error| Failure::Host(format!("cannot watch anything: {error}")))?;
    let mut sources = Sources::watch(&edited, bell.clone());
    let signalled = run::listen_for_ctrl_c(app)?;
    let screen = if args.headless { None } else { Some(Screen::open()?) };
    let control = Control::default();
    let (orders, taken) = mpsc::channel();
    let (told, news) = mpsc::channel();
    if let Some(trouble) = sources.trouble() {
        let _ = told.send(News::Remark { message: trouble });
    }
    let plan = Plan {
        benchmarks: args.benchmark.clone(),
        cases: args.cases.clone(),
        follows: args.follow,
        options: &options,
    };
    let engine =
        Engine { shop, plan, control: &control, news: told, baseline: None, latest: None, is_open: false };
    let changed = orders.clone();
    thread::scope(|scope| {
        scope.spawn(|| {
            while !control.has_quit() {
                if sources.wait() {
                    control.change();
                    let _ = changed.send(Order::Changed);
                }
            }
        });
        let engine = scope.spawn(move || engine.run(&taken));
        let session = Session { control: &control, orders, news, signalled };
        let ended = match &screen {
            Some(screen) => session
                .on(screen, View::new(title(&edited), args.benchmark.clone(), args.cases.param.clone())),
            None => session.headless().map(|()| None),
        };
        control.quit();
        bell.ring();
        session.order(Order::Quit);
        let _ = engine.join();
        ended
    })
    .and_then(|view| {
        drop(screen);
        // What was found stays on the terminal.
        match view.map(|view| view.summary()).filter(|text| !text.is_empty()) {
            Some(text) => output::text(&terminal::folded(&text)),
            None => Ok(()),
        }
    })?;
    Ok(End::Good.into())
}

fn title(edited: &Edited) -> String {
    match edited {
        Edited::Folder(path) | Edited::File(path) => format!("dyno dev of {}", path.display()),
    }
}

/// The developer's side.
struct Session<'a> {
    control: &'a Control,
    orders: Sender<Order>,
    news: Receiver<News>,
    signalled: Cancel,
}

impl Session<'_> {
    fn order(&self, order: Order) {
        // An engine that has ended takes no orders.
        let _ = self.orders.send(order);
    }

    fn headless(&self) -> Result<(), Failure> {
        while !self.signalled.is_set() {
            match self.news.recv_timeout(TICK) {
                Ok(news) => headless::show(&news)?,
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => break,
            }
        }
        Ok(())
    }

    fn on(&self, screen: &Screen, mut view: View) -> Result<Option<View>, Failure> {
        let mut shown = Vec::new();
        loop {
            loop {
                match self.news.try_recv() {
                    Ok(news) => view.hear(news, &time_of_day()),
                    Err(TryRecvError::Empty) => break,
                    // It ends only when it is told to, or by a fault of its own.
                    Err(TryRecvError::Disconnected) => return Ok(Some(view)),
                }
            }
            let (width, height) = screen.size();
            let lines = view.lines(width, height);
            if lines != shown {
                screen.paint(&lines)?;
                shown = lines;
            }
            if self.signalled.is_set() {
                return Ok(Some(view));
            }
            let Some(key) = screen.key(TICK)? else { continue };
            if key == Key::Interrupt || (key == Key::Char('q') && view.prompt.is_none()) {
                return Ok(Some(view));
            }
            if key == Key::Resized {
                shown.clear();
            }
            self.press(key, &mut view);
        }
    }

    fn press(&self, key: Key, view: &mut View) {
        if let Some(prompt) = view.prompt.take() {
            view.prompt = self.answer(key, prompt, view);
            return;
        }
        match key {
            Key::Char('r') => self.order(Order::Again),
            Key::Char('b') => self.order(Order::Accept),
            Key::Char('s') => self.control.stop(),
            Key::Char('p') => view.prompt = Some(Prompt { asks: Asks::Params, text: view.params.join(" ") }),
            Key::Char('/') => view.prompt = Some(Prompt { asks: Asks::Benchmark, text: String::new() }),
            Key::Char('0') => self.choose("*".to_owned(), view),
            Key::Char(digit @ '1'..='9') => {
                let place = digit.to_digit(10).unwrap_or(1) as usize - 1;
                if let Some(name) = view.benchmarks().get(place).cloned() {
                    self.choose(name, view);
                }
            }
            _ => {}
        }
    }

    /// A key while something is asked for. Gives the prompt that stays.
    fn answer(&self, key: Key, mut prompt: Prompt, view: &mut View) -> Option<Prompt> {
        match key {
            Key::Char(c) => prompt.text.push(c),
            Key::Backspace => {
                prompt.text.pop();
            }
            Key::Escape => return None,
            Key::Enter => {
                match prompt.asks {
                    Asks::Params => {
                        view.params = prompt.text.split_whitespace().map(str::to_owned).collect();
                        self.control.stop();
                        self.order(Order::Params(view.params.clone()));
                    }
                    Asks::Benchmark => {
                        let name = matching(view.benchmarks(), &prompt.text).next().map(str::to_owned);
                        match name {
                            Some(name) => self.choose(name, view),
                            None => return Some(prompt),
                        }
                    }
                }
                return None;
            }
            Key::Interrupt | Key::Resized => {}
        }
        Some(prompt)
    }

    /// What is being measured is not wanted any more.
    fn choose(&self, name: String, view: &mut View) {
        view.choose(vec![name.clone()]);
        self.control.stop();
        self.order(Order::Benchmarks(vec![name]));
    }
}

/// The time on the developer's clock.
fn time_of_day() -> String {
    jiff::ZonedDateTime::now().strftime("%H:%M:%S").to_string()
}

impl From<Unusable> for Failure {
    fn from(error: Unusable) -> Self {
        match error {
            Unusable::Build(error) => error.into(),
            Unusable::App(error) => error.into(),
            broken @ Unusable::Broken { .. } => Self::Usage(broken.to_string()),
        }
    }
}

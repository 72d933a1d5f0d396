//! The names of gates: which are allowed, and which a program gives to its questions and with which words they are
//! answered, seen without running it. It must not ask anything.

use crate::model::run::effect::{AnswerKind, Form};
use crate::model::site::answers::Judged;
use crate::model::site::inventory::Inventory;
use crate::script::calls::doc::Asking;
use crate::script::calls::gate_name::UNDO_BY_HAND;
use crate::script::compile::program::Program;
use crate::script::compile::tree::{self, CallSite};
use crate::script::primitives;
use rhai::{Array, Expr, ImmutableString};
use std::collections::BTreeSet;

/// How the gate of a question is called.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Naming {
    /// So, and when it is asked again with a number behind it: `drain`, `drain-2`.
    Own(String),
    /// By its form, with a number behind it: `confirm-1`.
    Form(&'static str),
    /// Only the run knows.
    Computed,
}

/// A question that a program can ask.
#[derive(Debug, Clone, PartialEq, Eq)]
struct GateQuestion {
    naming: Naming,
    /// Which words answer it; nothing when only the run knows.
    form: Option<Form>,
}

/// The questions of a program, as far as they are known before it runs.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct GateQuestions {
    all: Vec<GateQuestion>,
}

impl GateQuestion {
    /// Whether its gate is called so for certain, unless it is never asked.
    fn is_called(&self, name: &str) -> bool {
        let numbered = name.rsplit_once('-').filter(|(_, n)| n.parse::<u32>().is_ok_and(|n| n > 0));
        let base = numbered.map(|(base, _)| base);
        match &self.naming {
            Naming::Own(own) => name == own || base == Some(own),
            Naming::Form(form) => base == Some(form),
            Naming::Computed => false,
        }
    }

    fn takes(&self, word: &str) -> bool {
        self.form.as_ref().is_none_or(|form| form.word(word).is_some())
    }
}

impl GateQuestions {
    /// Those in a runbook and its modules, of verbs that are severe on this site, and of a way back.
    #[must_use]
    pub fn of(program: &Program, site: &Inventory) -> Self {
        let mut questions = Self::default();
        for unit in program.units() {
            unit.ast.walk(&mut |path| {
                let site = path.last().and_then(tree::call_site);
                if let Some(site) = site.filter(|site| site.namespace.is_none()) {
                    questions.take(&site);
                }
                true
            });
        }
        let severe = site.services.values().filter(|one| one.profile.verbs.values().any(|verb| verb.severe));
        let words: Vec<String> = severe.map(|service| service.name.clone()).collect();
        if !words.is_empty() {
            questions.add(Naming::Form("severe"), Some(Form::Choose([words, vec!["no".to_owned()]].concat())));
        }
        questions.add(Naming::Own(UNDO_BY_HAND.to_owned()), Some(Form::Manual));
        questions
    }

    fn add(&mut self, naming: Naming, form: Option<Form>) {
        let question = GateQuestion { naming, form };
        if !self.all.contains(&question) {
            self.all.push(question);
        }
    }

    fn take(&mut self, site: &CallSite<'_>) {
        // Nobody can see which function it is.
        if site.name == "Fn" {
            return self.add(Naming::Computed, None);
        }
        let Some(doc) = primitives::find(site.name) else { return };
        let form = match doc.asks {
            Some(Asking::Confirm) => Some(Form::Confirm),
            Some(Asking::Manual) => Some(Form::Manual),
            Some(Asking::Choose) => offered(site).map(Form::Choose),
            Some(Asking::Write) => kind_asked_for(site).map(Form::Write),
            Some(Asking::IfHarm) => return self.take_owed(site),
            None => return,
        };
        let (name, before) = (doc.name, doc.before_options().unwrap_or(usize::MAX));
        let options = (site.arity() > before).then(|| site.args.last()).flatten();
        let Some(options) = options else { return self.add(Naming::Form(name), form) };
        let Some(entries) = tree::map_entries(options) else {
            self.add(Naming::Form(name), form.clone());
            return self.add(Naming::Computed, form);
        };
        let naming = match entries.into_iter().find(|(key, ..)| key == "gate") {
            None => Naming::Form(name),
            Some((_, value, _)) => match value.and_then(|value| value.into_immutable_string().ok()) {
                Some(own) => Naming::Own(own.to_string()),
                None => Naming::Computed,
            },
        };
        self.add(naming, form);
    }

    /// What is owed is asked about first where it could do harm.
    fn take_owed(&mut self, site: &CallSite<'_>) {
        let options = (site.arity() > 2).then(|| site.args.last()).flatten();
        let harms = |options: &Expr| {
            tree::map_entries(options).is_none_or(|entries| entries.iter().any(|(key, ..)| key == "harm"))
        };
        if options.is_some_and(harms) {
            self.add(Naming::Form("confirm"), Some(Form::Confirm));
        }
    }

    /// What is known of an answer with this word to the gate of this name.
    #[must_use]
    pub fn judge(&self, name: &str, word: &str) -> Judged {
        let named: Vec<&GateQuestion> = self.all.iter().filter(|question| question.is_called(name)).collect();
        let computed: Vec<&GateQuestion> =
            self.all.iter().filter(|question| question.naming == Naming::Computed).collect();
        if named.iter().any(|question| question.takes(word)) {
            return Judged::Fits;
        }
        if computed.iter().any(|question| question.takes(word)) {
            return Judged::Unsure;
        }
        let forms: Vec<&Form> = named.iter().chain(&computed).filter_map(|question| question.form.as_ref()).collect();
        if forms.is_empty() {
            return Judged::NoGate;
        }
        let words: BTreeSet<String> = forms.iter().flat_map(|form| form.words()).collect();
        let kinds: BTreeSet<&str> = forms.iter().filter_map(|form| form.kind()).map(AnswerKind::wanted).collect();
        let (words, kinds) = (words.into_iter().collect(), kinds.into_iter().map(str::to_owned).collect());
        Judged::NoWord { words, kinds }
    }

    /// The names that its gates have when they are asked for the first time, as far as they are known; without those of
    /// a way back.
    #[must_use]
    pub fn names(&self) -> Vec<String> {
        let names = self.all.iter().filter_map(|question| match &question.naming {
            Naming::Own(own) if own == UNDO_BY_HAND => None,
            Naming::Own(own) => Some(own.clone()),
            Naming::Form(form) => Some(format!("{form}-1")),
            Naming::Computed => None,
        });
        names.collect::<BTreeSet<_>>().into_iter().collect()
    }
}

/// The kind of answer that an `ask` wants, if it is written out.
fn kind_asked_for(site: &CallSite<'_>) -> Option<AnswerKind> {
    let Some(options) = site.args.get(usize::from(!site.method)) else { return Some(AnswerKind::Text) };
    let entries = tree::map_entries(options)?;
    let Some((_, value, _)) = entries.into_iter().find(|(key, ..)| key == "kind") else {
        return Some(AnswerKind::Text);
    };
    let name = value?.into_immutable_string().ok()?;
    AnswerKind::ALL.into_iter().find(|kind| kind.name() == name.as_str())
}

/// The words that a `choose` offers, if they are written out.
fn offered(site: &CallSite<'_>) -> Option<Vec<String>> {
    let list = site.args.get(usize::from(!site.method)).and_then(tree::literal)?;
    let words = list.read_lock::<Array>()?;
    words.iter().map(|word| word.read_lock::<ImmutableString>().map(|word| word.to_string())).collect()
}

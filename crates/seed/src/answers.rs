//! What people made of each other's posts: hearts, emoji, shares, comments.

use std::collections::{HashMap, HashSet};

use grateful_domain::{Emoji, Engagement, ShareQuota};

use crate::dice::{About, Dice};
use crate::edges::Blocks;
use crate::posts::Posted;
use crate::zipf::Zipf;

/// Somebody did something with a post.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Act<T> {
    pub(crate) at: i64,
    /// Both by their number.
    pub(crate) by: usize,
    pub(crate) post: usize,
    pub(crate) what: T,
}

/// How a post was passed on.
#[derive(Debug, Clone)]
pub(crate) enum Sent {
    ByLink,
    To(Vec<usize>),
}

/// All that people made of posts, each kind with the oldest first.
#[derive(Debug, Default)]
pub(crate) struct Answers {
    pub(crate) hearts: Vec<Act<()>>,
    pub(crate) reactions: Vec<Act<Emoji>>,
    pub(crate) shares: Vec<Act<Sent>>,
    /// With the number of the comment that one answers.
    pub(crate) comments: Vec<Act<Option<usize>>>,
}

/// What the people, the posts and their blocks are.
#[derive(Clone, Copy)]
pub(crate) struct Stage<'a> {
    pub(crate) seed: u64,
    pub(crate) now: i64,
    pub(crate) active: &'a Zipf,
    pub(crate) posts: &'a [Posted],
    pub(crate) blocks: &'a Blocks,
}

/// Most answers come within days: in microseconds.
const ATTENTION: u64 = 14 * 86_400_000_000;

/// How often a person and a post are drawn for something that may be there already, before it becomes a comment, of which
/// there can be any number.
const TRIES: u32 = 8;

impl Answers {
    /// So many, on public posts; the mix is that of a community which hearts more than it talks.
    pub(crate) fn draw(many: usize, stage: Stage<'_>) -> Self {
        let public = (0..stage.posts.len()).filter(|post| stage.posts[*post].is_public).collect();
        let mut draw = Draw {
            stage,
            favour: Zipf::ranking(public, About::Favour, stage.seed),
            dice: Dice::about(About::Answers, stage.seed),
            once: HashSet::new(),
            sent: HashMap::new(),
            answers: Self::default(),
        };
        (0..many).for_each(|_| draw.one());
        draw.answers.in_order(stage)
    }

    fn in_order(mut self, stage: Stage<'_>) -> Self {
        self.hearts.sort_by_key(|act| act.at);
        self.reactions.sort_by_key(|act| act.at);
        self.shares.sort_by_key(|act| act.at);
        self.comments.sort_by_key(|act| act.at);
        let mut dice = Dice::about(About::Replies, stage.seed);
        let mut earlier: HashMap<usize, Vec<usize>> = HashMap::new();
        for number in 0..self.comments.len() {
            let Act { by, post, .. } = self.comments[number];
            let thread = earlier.entry(post).or_default();
            if !thread.is_empty() && dice.chance(REPLIES) {
                let parent = thread[dice.place(thread.len())];
                let answers = !stage.blocks.part(by, self.comments[parent].by);
                self.comments[number].what = answers.then_some(parent);
            }
            thread.push(number);
        }
        self
    }

    /// The numbers beside each post.
    pub(crate) fn counted(&self, posts: usize) -> Vec<Engagement> {
        let mut counts = vec![Engagement::default(); posts];
        let mut senders = HashSet::new();
        self.hearts.iter().for_each(|act| counts[act.post].hearts += 1);
        self.reactions.iter().for_each(|act| counts[act.post].reactions += 1);
        self.comments.iter().for_each(|act| counts[act.post].comments += 1);
        for act in &self.shares {
            // Whoever sends a post twice counts once.
            let counts_once =
                matches!(act.what, Sent::To(_)) && !senders.insert((act.by, act.post));
            counts[act.post].shares += i32::from(!counts_once);
        }
        counts
    }
}

/// How often in a thousand a comment answers one that is there.
const REPLIES: u64 = 380;

/// What one person does with one post at most once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Once {
    Heart,
    Reaction,
    Link,
}

struct Draw<'a> {
    stage: Stage<'a>,
    favour: Zipf,
    dice: Dice,
    once: HashSet<(Once, usize, usize)>,
    /// How often somebody sent posts in some hour.
    sent: HashMap<(usize, i64), u32>,
    answers: Answers,
}

impl Draw<'_> {
    fn one(&mut self) {
        match self.dice.below(1_000) {
            0..560 => match self.draw_once(Once::Heart) {
                Some(act) => self.answers.hearts.push(act),
                None => self.comment(),
            },
            560..820 => match self.draw_once(Once::Reaction) {
                Some(act) => {
                    let what = Emoji::ALL[self.dice.place(Emoji::ALL.len())];
                    self.answers.reactions.push(act.with(what));
                }
                None => self.comment(),
            },
            820..880 => match self.draw_once(Once::Link) {
                Some(act) => self.answers.shares.push(act.with(Sent::ByLink)),
                None => self.comment(),
            },
            880..900 => self.send(),
            _ => self.comment(),
        }
    }

    fn draw_once(&mut self, once: Once) -> Option<Act<()>> {
        (0..TRIES).find_map(|_| {
            let act = self.draw();
            self.once.insert((once, act.by, act.post)).then_some(act)
        })
    }

    fn comment(&mut self) {
        let act = self.draw();
        self.answers.comments.push(act.with(None));
    }

    /// To one to three people; a comment where there is nobody to send it to, or too much was sent.
    fn send(&mut self) {
        let act = self.draw();
        let author = self.stage.posts[act.post].author;
        let many = 1 + self.dice.place(3);
        let mut to: Vec<usize> = Vec::with_capacity(many);
        for _ in 0..TRIES {
            let person = self.stage.active.pick(&mut self.dice);
            let parted = [act.by, author].map(|it| self.stage.blocks.part(it, person));
            if to.len() < many
                && person != act.by
                && !parted.contains(&true)
                && !to.contains(&person)
            {
                to.push(person);
            }
        }
        // Two hours of the clock cover any hour.
        let lately = self.sent.entry((act.by, act.at / 3_600_000_000)).or_default();
        if to.is_empty() || ShareQuota::MAX_PER_HOUR / 2 <= *lately {
            return self.answers.comments.push(act.with(None));
        }
        *lately += 1;
        self.answers.shares.push(act.with(Sent::To(to)));
    }

    /// Somebody and a post of somebody whom no block parts from them, soon after it was posted.
    fn draw(&mut self) -> Act<()> {
        let post = self.favour.pick(&mut self.dice);
        let Posted { author, at, .. } = self.stage.posts[post];
        let mut drawn = (0..TRIES).map(|_| self.stage.active.pick(&mut self.dice));
        let by = drawn.find(|by| !self.stage.blocks.part(*by, author)).unwrap_or(author);
        let age = u64::try_from(self.stage.now - at).unwrap_or_default();
        let later = self.dice.tiny_part(age.min(ATTENTION));
        Act { at: at.saturating_add_unsigned(later), by, post, what: () }
    }
}

impl Act<()> {
    fn with<T>(self, what: T) -> Act<T> {
        let Self { at, by, post, .. } = self;
        Act { at, by, post, what }
    }
}

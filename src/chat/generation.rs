//! How a model is asked to answer, and what of it a dialect must be able to express.
//!
//! Invariants: a [`Generation`] past an edge is in range: temperature and nucleus 0 to 2 and 0 to 1,
//! penalties -2 to 2, at most [`Generation::MAX_STOPS`] stop texts, each not empty.
//!
//! Not here: the output limit (an arm has one too: `route::Request`), which endpoint can express what
//! (`eligibility`), how a dialect writes it (`provider`).

use serde::{Deserialize, Serialize};
use std::fmt;

/// How to answer. Everything absent: the endpoint's defaults.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Generation {
    /// Sampling temperature, 0 to 2.
    pub temperature: Option<f64>,
    /// Share of the probability that is sampled from, 0 to 1.
    pub top_p: Option<f64>,
    /// Texts at which the answer ends.
    pub stop: Vec<String>,
    /// Seed of the sampling, where the provider has one.
    pub seed: Option<i64>,
    /// Dislike of words that were said, -2 to 2.
    pub presence_penalty: Option<f64>,
    /// Dislike of words by how often they were said, -2 to 2.
    pub frequency_penalty: Option<f64>,
    /// How long to think.
    pub effort: Option<Effort>,
    /// Which tool to call.
    pub tool_choice: ToolChoice,
    /// Whether several tools may be called at once.
    pub parallel_tool_calls: Option<bool>,
    /// Whether the provider is to hold the answer's schema and the tools' strictly, where it can. (The answer
    /// is checked either way.)
    pub strict: bool,
    /// What only OpenAI's dialect can say, passed on as it came.
    pub extra: Vec<Extra>,
}

/// A parameter that we do not read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Extra {
    /// Its name in OpenAI's dialect.
    pub name: String,
    /// Its value, as JSON text.
    pub json: String,
}

/// How long to think.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Effort {
    /// Not at all.
    None,
    /// As little as there is.
    Minimal,
    /// A little.
    Low,
    /// Some.
    Medium,
    /// Much.
    High,
    /// As much as there is.
    Most,
}

impl Effort {
    /// Every effort, with its word in OpenAI's dialect.
    pub const ALL: [(&'static str, Self); 6] = [
        ("none", Self::None),
        ("minimal", Self::Minimal),
        ("low", Self::Low),
        ("medium", Self::Medium),
        ("high", Self::High),
        ("xhigh", Self::Most),
    ];

    /// The word in OpenAI's dialect.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Minimal => "minimal",
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Most => "xhigh",
        }
    }
}

/// Which tool to call.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum ToolChoice {
    /// The model decides.
    #[default]
    Auto,
    /// None.
    None,
    /// One at least.
    Required,
    /// This one.
    Named(String),
}

/// Something that a dialect may be unable to express.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Parameter {
    /// [`Generation::temperature`].
    Temperature,
    /// [`Generation::top_p`].
    TopP,
    /// [`Generation::stop`].
    Stop,
    /// [`Generation::seed`].
    Seed,
    /// [`Generation::presence_penalty`].
    PresencePenalty,
    /// [`Generation::frequency_penalty`].
    FrequencyPenalty,
    /// [`Generation::effort`].
    Reasoning,
    /// [`Generation::tool_choice`] other than `Auto`.
    ToolChoice,
    /// [`Generation::parallel_tool_calls`].
    ParallelToolCalls,
    /// [`Generation::extra`].
    Extra,
    /// Sound in a message.
    Audio,
    /// A document in a message.
    File,
}

impl Parameter {
    /// Every one.
    pub const ALL: [Self; 12] = [
        Self::Temperature,
        Self::TopP,
        Self::Stop,
        Self::Seed,
        Self::PresencePenalty,
        Self::FrequencyPenalty,
        Self::Reasoning,
        Self::ToolChoice,
        Self::ParallelToolCalls,
        Self::Extra,
        Self::Audio,
        Self::File,
    ];

    /// Its name, OpenAI's where it has one.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Temperature => "temperature",
            Self::TopP => "top_p",
            Self::Stop => "stop",
            Self::Seed => "seed",
            Self::PresencePenalty => "presence_penalty",
            Self::FrequencyPenalty => "frequency_penalty",
            Self::Reasoning => "reasoning_effort",
            Self::ToolChoice => "tool_choice",
            Self::ParallelToolCalls => "parallel_tool_calls",
            Self::Extra => "extra parameters",
            Self::Audio => "input_audio",
            Self::File => "file",
        }
    }
}

/// A set of parameters.
///
/// ```
/// use bellwether::chat::{Generation, Parameter, Parameters};
/// let asked = Generation { seed: Some(1), ..Generation::default() }.parameters();
/// let able = Parameters::of(&[Parameter::TopP]);
/// assert_eq!(asked.without(able).to_string(), "seed");
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Default, Hash)]
pub struct Parameters(u16);

impl Parameters {
    /// All that there are.
    pub const ALL: Self = Self((1 << Parameter::ALL.len()) - 1);

    /// These.
    pub const fn of(parameters: &[Parameter]) -> Self {
        let (mut bits, mut index) = (0, 0);
        while index < parameters.len() {
            bits |= 1 << parameters[index] as u8;
            index += 1;
        }
        Self(bits)
    }

    /// These and one more.
    #[must_use]
    pub const fn with(self, parameter: Parameter) -> Self {
        Self(self.0 | 1 << parameter as u8)
    }

    /// These and those.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Those that are not in `other`.
    #[must_use]
    pub const fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// Whether there is none.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Whether this one is among them.
    pub const fn contains(self, parameter: Parameter) -> bool {
        self.0 & 1 << parameter as u8 != 0
    }
}

impl fmt::Display for Parameters {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = Parameter::ALL.into_iter().filter(|p| self.contains(*p));
        let names: Vec<_> = names.map(Parameter::as_str).collect();
        f.write_str(&names.join(", "))
    }
}

impl fmt::Debug for Parameters {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Parameters({self})")
    }
}

impl Generation {
    /// Most stop texts.
    pub const MAX_STOPS: usize = 16;

    /// Most bytes of one.
    pub const MAX_STOP_BYTES: usize = 1024;

    /// What a dialect must be able to express for it.
    pub fn parameters(&self) -> Parameters {
        let asked = [
            (Parameter::Temperature, self.temperature.is_some()),
            (Parameter::TopP, self.top_p.is_some()),
            (Parameter::Stop, !self.stop.is_empty()),
            (Parameter::Seed, self.seed.is_some()),
            (Parameter::PresencePenalty, self.presence_penalty.is_some()),
            (
                Parameter::FrequencyPenalty,
                self.frequency_penalty.is_some(),
            ),
            (Parameter::Reasoning, self.effort.is_some()),
            (Parameter::ToolChoice, self.tool_choice != ToolChoice::Auto),
            (
                Parameter::ParallelToolCalls,
                self.parallel_tool_calls.is_some(),
            ),
            (Parameter::Extra, !self.extra.is_empty()),
        ];
        let said = asked.into_iter().filter(|(_, said)| *said);
        said.fold(Parameters::default(), |set, (parameter, _)| {
            set.with(parameter)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_parameter_has_a_bit_and_a_name_of_its_own() {
        let mut names: Vec<_> = Parameter::ALL.map(Parameter::as_str).to_vec();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), Parameter::ALL.len());
        assert_eq!(Parameters::of(&Parameter::ALL), Parameters::ALL);
        for parameter in Parameter::ALL {
            assert_eq!(Parameters::of(&[parameter]).to_string(), parameter.as_str());
            assert!(
                !Parameters::ALL
                    .without(Parameters::of(&[parameter]))
                    .contains(parameter)
            );
        }
    }

    #[test]
    fn defaults_ask_for_nothing_and_every_field_for_its_own() {
        assert!(Generation::default().parameters().is_empty());
        let all = Generation {
            temperature: Some(0.0),
            top_p: Some(1.0),
            stop: vec!["x".into()],
            seed: Some(0),
            presence_penalty: Some(0.0),
            frequency_penalty: Some(0.0),
            effort: Some(Effort::None),
            tool_choice: ToolChoice::Required,
            parallel_tool_calls: Some(true),
            strict: true,
            extra: vec![Extra {
                name: "logit_bias".into(),
                json: "{}".into(),
            }],
        };
        let contents = Parameters::of(&[Parameter::Audio, Parameter::File]);
        assert_eq!(all.parameters(), Parameters::ALL.without(contents));
    }

    #[test]
    fn an_effort_has_one_word() {
        for (word, effort) in Effort::ALL {
            assert_eq!(effort.as_str(), word);
        }
    }
}

//! A model as a list of steps: what the families describe, and what every runtime carries out.
//!
//! A value is a matrix per item of a batch: `rows` tokens or patches of `columns` numbers each. Weights have the names and shapes
//! that the authors of a model gave them, with linear layers as `[outputs, inputs]`.

/// What an item of a batch is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Input {
    /// Numbers of words, each below `vocabulary`.
    Tokens { length: usize, vocabulary: usize },
    /// Three square planes of colour, cut into squares of `patch` × `patch`.
    Image { size: usize, patch: usize },
}

impl Input {
    /// Colours of an image.
    pub(crate) const CHANNELS: usize = 3;

    /// Squares along a side of an image.
    pub(crate) fn grid(size: usize, patch: usize) -> usize {
        size / patch
    }
}

/// A weight of a network, by its place in [`Network::tensors`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Weight(pub(crate) usize);

/// The result of a step, by its place in [`Network::steps`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Value(pub(crate) usize);

/// A weight before it has numbers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Tensor {
    /// Its name in a file of weights.
    pub(crate) name: String,
    /// Its lengths.
    pub(crate) shape: Vec<usize>,
}

impl Tensor {
    /// How many numbers it has.
    pub(crate) fn elements(&self) -> usize {
        self.shape.iter().product()
    }
}

/// The function after a linear layer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Activation {
    /// None.
    Identity,
    /// `x Φ(x)`, with the exact error function.
    Gelu,
    /// The hyperbolic tangent.
    Tanh,
}

/// One step.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Operation {
    /// The row of a table for each token.
    Embed { table: Weight },
    /// The squares of an image, each through the same linear layer.
    Patches { weight: Weight, bias: Weight },
    /// Adds row `i` of a table to row `i`.
    AddRows { of: Value, table: Weight },
    /// Adds the first row of a table to every row.
    AddFirst { of: Value, table: Weight },
    /// Puts a row before the others.
    Prepend { of: Value, row: Weight },
    /// Brings each row to mean 0 and variance 1, then scales and shifts its columns.
    Normalise { of: Value, scale: Weight, shift: Weight, epsilon: f32 },
    /// `of weightᵀ + bias`, then the activation.
    Linear { of: Value, weight: Weight, bias: Weight, activation: Activation },
    /// `softmax(query keyᵀ / √width) value` for each head.
    Attend { query: Value, key: Value, value: Value, heads: usize },
    /// The sum of two values.
    Add { left: Value, right: Value },
    /// The first row.
    First { of: Value },
    /// The mean of the rows, with length 1.
    MeanDirection { of: Value },
}

/// Lengths of a value, per item of a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Shape {
    pub(crate) rows: usize,
    pub(crate) columns: usize,
}

impl Shape {
    /// How many numbers a batch has.
    pub(crate) fn elements(self, batch: usize) -> usize {
        batch * self.rows * self.columns
    }
}

/// A step and what it results in.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Step {
    pub(crate) operation: Operation,
    pub(crate) shape: Shape,
}

/// A model, ready for a runtime. Its last step is its output.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Network {
    pub(crate) input: Input,
    pub(crate) tensors: Vec<Tensor>,
    pub(crate) steps: Vec<Step>,
}

impl Network {
    /// A network without steps.
    pub(crate) fn new(input: Input) -> Self {
        Self { input, tensors: Vec::new(), steps: Vec::new() }
    }

    /// Numbers in all weights.
    pub(crate) fn parameters(&self) -> usize {
        self.tensors.iter().map(Tensor::elements).sum()
    }

    /// Multiplications and additions of the matrix products for one item [FLOP]. Everything else is below one per cent of them.
    pub(crate) fn flop(&self) -> f64 {
        self.steps.iter().map(|step| self.flop_of(step)).sum()
    }

    fn flop_of(&self, step: &Step) -> f64 {
        let per_row = match step.operation {
            Operation::Linear { weight, .. } | Operation::Patches { weight, .. } => {
                2 * self.tensors[weight.0].elements()
            }
            Operation::Attend { .. } => 4 * step.shape.rows * step.shape.columns,
            _ => 0,
        };
        per_row as f64 * step.shape.rows as f64
    }

    /// What a launch needs for a batch, about [bytes]: so many copies of the weights, and the largest results with what attention makes
    /// for each pair of rows.
    pub(crate) fn memory(&self, batch: usize, copies: f64) -> f64 {
        let pairs = |step: &Step| match step.operation {
            Operation::Attend { heads, .. } => (batch * heads * step.shape.rows * step.shape.rows) as f64,
            _ => 0.0,
        };
        let largest = self.steps.iter().map(|step| step.shape.elements(batch) as f64).fold(0.0, f64::max);
        let attention = self.steps.iter().map(pairs).fold(0.0, f64::max);
        size_of::<f32>() as f64 * (copies * self.parameters() as f64 + 6.0 * largest + 2.0 * attention)
    }

    /// Lengths of a value.
    pub(crate) fn shape(&self, value: Value) -> Shape {
        self.steps[value.0].shape
    }

    /// Lengths of the output.
    pub(crate) fn output(&self) -> Shape {
        self.steps.last().map_or(Shape { rows: 0, columns: 0 }, |step| step.shape)
    }

    fn tensor(&mut self, name: String, shape: &[usize]) -> Weight {
        self.tensors.push(Tensor { name, shape: shape.to_vec() });
        Weight(self.tensors.len() - 1)
    }

    fn step(&mut self, operation: Operation, rows: usize, columns: usize) -> Value {
        self.steps.push(Step { operation, shape: Shape { rows, columns } });
        Value(self.steps.len() - 1)
    }

    /// Looks each token up in a table of `columns` numbers per word.
    pub(crate) fn embed(&mut self, table: &str, columns: usize) -> Value {
        let Input::Tokens { length, vocabulary } = self.input else {
            unreachable!("only tokens are looked up")
        };
        let table = self.tensor(table.to_owned(), &[vocabulary, columns]);
        self.step(Operation::Embed { table }, length, columns)
    }

    /// Makes a row of `columns` numbers of each square of the image.
    pub(crate) fn patches(&mut self, layer: &str, columns: usize) -> Value {
        let Input::Image { size, patch } = self.input else { unreachable!("only images have patches") };
        let weight = self.tensor(format!("{layer}.weight"), &[columns, Input::CHANNELS, patch, patch]);
        let bias = self.tensor(format!("{layer}.bias"), &[columns]);
        let side = Input::grid(size, patch);
        self.step(Operation::Patches { weight, bias }, side * side, columns)
    }

    /// Adds the beginning of a table of `length` rows. A table that the authors stored with a leading 1 has three lengths.
    pub(crate) fn add_rows(&mut self, of: Value, table: &str, shape: &[usize]) -> Value {
        let Shape { rows, columns } = self.shape(of);
        let table = self.tensor(table.to_owned(), shape);
        self.step(Operation::AddRows { of, table }, rows, columns)
    }

    /// Adds the first row of a table of `length` rows everywhere.
    pub(crate) fn add_first(&mut self, of: Value, table: &str, length: usize) -> Value {
        let Shape { rows, columns } = self.shape(of);
        let table = self.tensor(table.to_owned(), &[length, columns]);
        self.step(Operation::AddFirst { of, table }, rows, columns)
    }

    /// Puts a learned row before the others.
    pub(crate) fn prepend(&mut self, of: Value, row: &str) -> Value {
        let Shape { rows, columns } = self.shape(of);
        let row = self.tensor(row.to_owned(), &[1, 1, columns]);
        self.step(Operation::Prepend { of, row }, rows + 1, columns)
    }

    /// Normalises each row.
    pub(crate) fn normalise(&mut self, of: Value, layer: &str) -> Value {
        const EPSILON: f32 = 1e-12;
        let Shape { rows, columns } = self.shape(of);
        let scale = self.tensor(format!("{layer}.weight"), &[columns]);
        let shift = self.tensor(format!("{layer}.bias"), &[columns]);
        self.step(Operation::Normalise { of, scale, shift, epsilon: EPSILON }, rows, columns)
    }

    /// Puts each row through a linear layer with `outputs` results.
    pub(crate) fn linear(&mut self, of: Value, layer: &str, outputs: usize, activation: Activation) -> Value {
        let Shape { rows, columns } = self.shape(of);
        let weight = self.tensor(format!("{layer}.weight"), &[outputs, columns]);
        let bias = self.tensor(format!("{layer}.bias"), &[outputs]);
        self.step(Operation::Linear { of, weight, bias, activation }, rows, outputs)
    }

    /// Lets every row look at all rows of its item.
    pub(crate) fn attend(&mut self, [query, key, value]: [Value; 3], heads: usize) -> Value {
        let Shape { rows, columns } = self.shape(query);
        self.step(Operation::Attend { query, key, value, heads }, rows, columns)
    }

    /// Adds two values.
    pub(crate) fn add(&mut self, left: Value, right: Value) -> Value {
        let Shape { rows, columns } = self.shape(left);
        self.step(Operation::Add { left, right }, rows, columns)
    }

    /// Keeps the first row.
    pub(crate) fn first(&mut self, of: Value) -> Value {
        let columns = self.shape(of).columns;
        self.step(Operation::First { of }, 1, columns)
    }

    /// Keeps the direction of the mean of all rows.
    pub(crate) fn mean_direction(&mut self, of: Value) -> Value {
        let columns = self.shape(of).columns;
        self.step(Operation::MeanDirection { of }, 1, columns)
    }
}

//! Writes a network as an ONNX model for one batch size, with its weights outside.

use std::collections::HashSet;

use prost::Message;

use super::message::{
    Attribute, AttributeType, DataType, Dimension, EXTERNAL, Entry, Graph, IR_VERSION, Model, Node,
    OperatorSet, Tensor, TensorShape, TensorType, Type, ValueInfo,
};
use crate::{
    network::{Activation, Input, Network, Operation, Shape, Step, Value, Weight},
    plan::Precision,
    weights::Weights,
};

/// Version of ONNX's own operators: the first with `Gelu`.
const OPERATORS: i64 = 20;

/// Name of the input of a text model.
pub(crate) const INPUT_IDS: &str = "input_ids";
/// Name of the input of an image model.
pub(crate) const PIXELS: &str = "pixel_values";
/// Name of the output.
pub(crate) const OUTPUT: &str = "output";
/// Name of the file of weights, where they are in memory.
pub(crate) const WEIGHTS: &str = "weights";

/// What is exported.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Export<'a> {
    pub(crate) network: &'a Network,
    pub(crate) weights: &'a Weights,
    /// Name of the file that has the weights.
    pub(crate) file: &'a str,
    pub(crate) batch: usize,
    pub(crate) precision: Precision,
}

/// The bytes of the model.
pub(crate) fn export(export: &Export<'_>) -> Vec<u8> {
    let mut writer = Writer { export, nodes: Vec::new(), initializers: Vec::new(), known: HashSet::new() };
    let input = writer.input();
    for (number, step) in export.network.steps.iter().enumerate() {
        writer.step(Value(number), *step);
    }
    let last = name(Value(export.network.steps.len() - 1));
    let output = export.network.output();
    let shape = [export.batch, output.rows, output.columns];
    let reshaped = writer.reshaped(&last, &shape.map(|it| it as i64));
    writer.node("Cast", &[&reshaped], OUTPUT, vec![int("to", DataType::Float as i64)]);
    let output = value_info(OUTPUT, DataType::Float, &shape);
    let graph = Graph {
        node: writer.nodes,
        name: "network".to_owned(),
        initializer: writer.initializers,
        input: vec![input],
        output: vec![output],
    };
    let model = Model {
        ir_version: IR_VERSION,
        producer_name: "dyno".to_owned(),
        graph: Some(graph),
        opset_import: vec![OperatorSet { domain: String::new(), version: OPERATORS }],
    };
    model.encode_to_vec()
}

/// The name of a result. Results are matrices with the rows of all items one after the other.
fn name(value: Value) -> String {
    format!("v{}", value.0)
}

struct Writer<'a> {
    export: &'a Export<'a>,
    nodes: Vec<Node>,
    initializers: Vec<Tensor>,
    /// Names of the initializers.
    known: HashSet<String>,
}

impl Writer<'_> {
    fn input(&self) -> ValueInfo {
        let batch = self.export.batch;
        match self.export.network.input {
            Input::Tokens { length, .. } => value_info(INPUT_IDS, DataType::Int64, &[batch, length]),
            Input::Image { size, .. } => {
                value_info(PIXELS, DataType::Float, &[batch, Input::CHANNELS, size, size])
            }
        }
    }

    fn step(&mut self, value: Value, step: Step) {
        let to = name(value);
        let Shape { rows, columns } = step.shape;
        let [batch, rows, columns] = [self.export.batch, rows, columns].map(|it| it as i64);
        match step.operation {
            Operation::Embed { table } => {
                let ids = self.reshaped(INPUT_IDS, &[-1]);
                let table = self.weight(table);
                self.node("Gather", &[&table, &ids], &to, vec![]);
            }
            Operation::Patches { weight, bias } => self.patches(&to, weight, bias, step.shape),
            Operation::AddRows { of, table } => {
                let table = self.first_rows(table, step.shape);
                let of = self.reshaped(&name(of), &[batch, rows, columns]);
                let sum = self.added("Add", &[&of, &table]);
                self.reshape(&sum, &[-1, columns], &to);
            }
            Operation::AddFirst { of, table } => {
                let row = self.first_rows(table, Shape { rows: 1, columns: step.shape.columns });
                self.node("Add", &[&name(of), &row], &to, vec![]);
            }
            Operation::Prepend { of, row } => {
                let row = self.weight(row);
                let shape = self.integers(&[batch, 1, columns]);
                let first = self.added("Expand", &[&row, &shape]);
                let of = self.reshaped(&name(of), &[batch, rows - 1, columns]);
                let all = self.added_with("Concat", &[&first, &of], vec![int("axis", 1)]);
                self.reshape(&all, &[-1, columns], &to);
            }
            Operation::Normalise { of, scale, shift, epsilon } => {
                let (scale, shift) = (self.weight(scale), self.weight(shift));
                let attributes = vec![int("axis", -1), float("epsilon", epsilon)];
                self.node("LayerNormalization", &[&name(of), &scale, &shift], &to, attributes);
            }
            Operation::Linear { of, weight, bias, activation } => {
                let product = match activation {
                    Activation::Identity => to.clone(),
                    Activation::Gelu | Activation::Tanh => format!("{to}.linear"),
                };
                self.linear(&product, &name(of), weight, bias);
                match activation {
                    Activation::Identity => {}
                    Activation::Gelu => self.node("Gelu", &[&product], &to, vec![]),
                    Activation::Tanh => self.node("Tanh", &[&product], &to, vec![]),
                }
            }
            Operation::Attend { query, key, value, heads } => {
                self.attend(&to, [query, key, value], step.shape, heads as i64);
            }
            Operation::Add { left, right } => self.node("Add", &[&name(left), &name(right)], &to, vec![]),
            Operation::First { of } => {
                let whole = self.export.network.shape(of).rows as i64;
                let of = self.reshaped(&name(of), &[batch, whole, columns]);
                let first = self.integers(&[0]);
                let row = self.added_with("Gather", &[&of, &first], vec![int("axis", 1)]);
                self.reshape(&row, &[-1, columns], &to);
            }
            Operation::MeanDirection { of } => {
                let whole = self.export.network.shape(of).rows as i64;
                let of = self.reshaped(&name(of), &[batch, whole, columns]);
                let axis = self.integers(&[1]);
                let mean = self.added_with("ReduceMean", &[&of, &axis], vec![int("keepdims", 0)]);
                self.node("LpNormalization", &[&mean], &to, vec![int("axis", -1), int("p", 2)]);
            }
        }
    }

    fn patches(&mut self, to: &str, weight: Weight, bias: Weight, Shape { rows, columns }: Shape) {
        let [batch, rows, columns] = [self.export.batch, rows, columns].map(|it| it as i64);
        let Input::Image { patch, .. } = self.export.network.input else { return };
        let pixels = self.added_with("Cast", &[PIXELS], vec![int("to", self.float_type() as i64)]);
        let (weight, bias) = (self.weight(weight), self.weight(bias));
        let strides = ints("strides", &[patch as i64; 2]);
        let squares = self.added_with("Conv", &[&pixels, &weight, &bias], vec![strides]);
        let flat = self.reshaped(&squares, &[batch, columns, rows]);
        let turned = self.added_with("Transpose", &[&flat], vec![ints("perm", &[0, 2, 1])]);
        self.reshape(&turned, &[-1, columns], to);
    }

    fn linear(&mut self, to: &str, of: &str, weight: Weight, bias: Weight) {
        let bias_name = self.weight(bias);
        if self.export.precision == Precision::Int8 {
            let (weight, scale) = self.quantised(weight);
            let outputs = ["numbers", "scale", "zero"].map(|part| format!("{to}.{part}"));
            self.nodes.push(Node {
                input: vec![of.to_owned()],
                output: outputs.to_vec(),
                name: format!("{to}.quantise"),
                op_type: "DynamicQuantizeLinear".to_owned(),
                attribute: vec![],
            });
            let [numbers, own_scale, zero] = outputs;
            let product = self.added("MatMulInteger", &[&numbers, &weight, &zero]);
            let product = self.added_with("Cast", &[&product], vec![int("to", DataType::Float as i64)]);
            let scale = self.added("Mul", &[&own_scale, &scale]);
            let product = self.added("Mul", &[&product, &scale]);
            self.node("Add", &[&product, &bias_name], to, vec![]);
        } else {
            let weight = self.weight(weight);
            self.node("Gemm", &[of, &weight, &bias_name], to, vec![int("transB", 1)]);
        }
    }

    fn attend(&mut self, to: &str, looked: [Value; 3], Shape { rows, columns }: Shape, heads: i64) {
        let [batch, rows, columns] = [self.export.batch, rows, columns].map(|it| it as i64);
        let width = columns / heads;
        // Keys are turned, so that the product sums over the width of a head.
        let orders = [[0, 2, 1, 3], [0, 2, 3, 1], [0, 2, 1, 3]];
        let mut parts = looked.iter().zip(orders).map(|(value, order)| {
            let split = self.reshaped(&name(*value), &[batch, rows, heads, width]);
            self.added_with("Transpose", &[&split], vec![ints("perm", &order)])
        });
        let [query, key, value] = std::array::from_fn(|_| parts.next().unwrap_or_default());
        drop(parts);
        let product = self.added("MatMul", &[&query, &key]);
        let scale = self.number(&format!("scale{width}"), 1.0 / (width as f32).sqrt());
        let product = self.added("Mul", &[&product, &scale]);
        let weights = self.added_with("Softmax", &[&product], vec![int("axis", -1)]);
        let seen = self.added("MatMul", &[&weights, &value]);
        let seen = self.added_with("Transpose", &[&seen], vec![ints("perm", &[0, 2, 1, 3])]);
        self.reshape(&seen, &[-1, columns], to);
    }

    /// The beginning of a table, without a leading length of 1.
    fn first_rows(&mut self, table: Weight, Shape { rows, columns }: Shape) -> String {
        let shape = &self.export.network.tensors[table.0].shape;
        let table = self.weight(table);
        let table = if shape.len() == 3 { self.reshaped(&table, &[-1, columns as i64]) } else { table };
        let (begin, end, axis) = (self.integers(&[0]), self.integers(&[rows as i64]), self.integers(&[0]));
        self.added("Slice", &[&table, &begin, &end, &axis])
    }

    /// Type of the numbers between operators.
    fn float_type(&self) -> DataType {
        match self.export.precision {
            Precision::Fp16 => DataType::Float16,
            _ => DataType::Float,
        }
    }

    /// A weight as the authors have it, in the precision of the export.
    fn weight(&mut self, weight: Weight) -> String {
        let tensor = &self.export.network.tensors[weight.0];
        let name = tensor.name.clone();
        if !self.known.insert(name.clone()) {
            return name;
        }
        let dims = tensor.shape.iter().map(|it| *it as i64).collect();
        let mut stored =
            Tensor { dims, data_type: self.float_type() as i32, name: name.clone(), ..Tensor::default() };
        if self.float_type() == DataType::Float16 {
            let numbers = self.export.weights.numbers(weight.0);
            stored.raw_data = numbers.iter().flat_map(|it| half::f16::from_f32(*it).to_le_bytes()).collect();
        } else {
            let place = self.export.weights.place(weight.0);
            stored.data_location = EXTERNAL;
            let entry = |key: &str, value: String| Entry { key: key.to_owned(), value };
            stored.external_data = vec![
                entry("location", self.export.file.to_owned()),
                entry("offset", place.offset.to_string()),
                entry("length", place.bytes.to_string()),
            ];
        }
        self.initializers.push(stored);
        name
    }

    /// A weight of a linear layer in whole numbers from -127 to 127, as `[inputs, outputs]`, and what each of its columns is to be
    /// multiplied by.
    fn quantised(&mut self, weight: Weight) -> (String, String) {
        let tensor = &self.export.network.tensors[weight.0];
        let (outputs, inputs) = (tensor.shape[0], tensor.shape[1]);
        let numbers = self.export.weights.numbers(weight.0);
        let scales: Vec<f32> = numbers
            .chunks_exact(inputs)
            .map(|row| {
                row.iter().fold(0f32, |largest, x| largest.max(x.abs())).max(f32::MIN_POSITIVE) / 127.0
            })
            .collect();
        let mut whole = vec![0u8; numbers.len()];
        for (output, (row, scale)) in numbers.chunks_exact(inputs).zip(&scales).enumerate() {
            for (input, x) in row.iter().enumerate() {
                whole[input * outputs + output] = (x / scale).round() as i8 as u8;
            }
        }
        let (name, scale) = (format!("{}.int8", tensor.name), format!("{}.scale", tensor.name));
        let bytes = scales.iter().flat_map(|it| it.to_le_bytes()).collect();
        self.constant(&name, DataType::Int8, &[inputs as i64, outputs as i64], whole);
        self.constant(&scale, DataType::Float, &[outputs as i64], bytes);
        (name, scale)
    }

    /// A list of whole numbers, for lengths and axes.
    fn integers(&mut self, numbers: &[i64]) -> String {
        let words: Vec<String> = numbers.iter().map(ToString::to_string).collect();
        let name = format!("[{}]", words.join(","));
        let bytes = numbers.iter().flat_map(|it| it.to_le_bytes()).collect();
        self.constant(&name, DataType::Int64, &[numbers.len() as i64], bytes);
        name
    }

    fn number(&mut self, name: &str, number: f32) -> String {
        let bytes = match self.float_type() {
            DataType::Float16 => half::f16::from_f32(number).to_le_bytes().to_vec(),
            _ => number.to_le_bytes().to_vec(),
        };
        self.constant(name, self.float_type(), &[], bytes);
        name.to_owned()
    }

    fn constant(&mut self, name: &str, data_type: DataType, dims: &[i64], raw_data: Vec<u8>) {
        if self.known.insert(name.to_owned()) {
            self.initializers.push(Tensor {
                dims: dims.to_vec(),
                data_type: data_type as i32,
                name: name.to_owned(),
                raw_data,
                ..Tensor::default()
            });
        }
    }

    fn node(&mut self, operator: &str, inputs: &[&str], output: &str, attribute: Vec<Attribute>) {
        self.nodes.push(Node {
            input: inputs.iter().map(|it| (*it).to_owned()).collect(),
            output: vec![output.to_owned()],
            name: format!("{operator}.{}", self.nodes.len()),
            op_type: operator.to_owned(),
            attribute,
        });
    }

    /// A node whose output has no name in the network.
    fn added(&mut self, operator: &str, inputs: &[&str]) -> String {
        self.added_with(operator, inputs, Vec::new())
    }

    fn added_with(&mut self, operator: &str, inputs: &[&str], attributes: Vec<Attribute>) -> String {
        let output = format!("n{}", self.nodes.len());
        self.node(operator, inputs, &output, attributes);
        output
    }

    fn reshaped(&mut self, of: &str, shape: &[i64]) -> String {
        let shape = self.integers(shape);
        self.added("Reshape", &[of, &shape])
    }

    fn reshape(&mut self, of: &str, shape: &[i64], to: &str) {
        let shape = self.integers(shape);
        self.node("Reshape", &[of, &shape], to, vec![]);
    }
}

fn value_info(name: &str, elem_type: DataType, shape: &[usize]) -> ValueInfo {
    let dim = shape.iter().map(|it| Dimension { dim_value: *it as i64 }).collect();
    let tensor_type = TensorType { elem_type: elem_type as i32, shape: Some(TensorShape { dim }) };
    ValueInfo { name: name.to_owned(), r#type: Some(Type { tensor_type: Some(tensor_type) }) }
}

fn attribute(name: &str, kind: AttributeType) -> Attribute {
    Attribute { name: name.to_owned(), r#type: kind as i32, ..Attribute::default() }
}

fn int(name: &str, i: i64) -> Attribute {
    Attribute { i, ..attribute(name, AttributeType::Int) }
}

fn float(name: &str, f: f32) -> Attribute {
    Attribute { f, ..attribute(name, AttributeType::Float) }
}

fn ints(name: &str, ints: &[i64]) -> Attribute {
    Attribute { ints: ints.to_vec(), ..attribute(name, AttributeType::Ints) }
}

#[cfg(test)]
mod tests {
    use std::{env, fs, path::PathBuf};

    use safetensors::{Dtype, tensor::TensorView};

    use super::*;
    use crate::{
        models::{Lengths, Model as Named},
        weights::Source,
    };

    /// Writes what the bench has ONNX Runtime read from Python: models as `MODEL,BATCH` words in `DYNO_EXPORT_MODELS`, into the folder
    /// `DYNO_EXPORT_TO`, with their weights beside them as safetensors.
    #[test]
    #[ignore = "writes files for a bench"]
    fn write_models() {
        let folder = PathBuf::from(env::var("DYNO_EXPORT_TO").expect("the folder to write into"));
        for wanted in env::var("DYNO_EXPORT_MODELS").expect("what to write").split_whitespace() {
            let (name, batch) = wanted.split_once(',').unwrap();
            let model: Named = dyno_sdk::ParamEnum::from_choice(name).unwrap();
            let network = model.network(Lengths { sequence: 128, image: 224 }).unwrap();
            let made = Source::Random(1).load(model, &network).unwrap();
            let bytes: Vec<Vec<u8>> = (0..network.tensors.len())
                .map(|it| bytemuck::cast_slice(&made.numbers(it)).to_vec())
                .collect();
            let views = network.tensors.iter().zip(&bytes).map(|(tensor, bytes)| {
                (&tensor.name, TensorView::new(Dtype::F32, tensor.shape.clone(), bytes).unwrap())
            });
            let file = format!("{name}.safetensors");
            safetensors::serialize_to_file(views, None, &folder.join(&file)).unwrap();
            let weights = Source::Path(folder.join(&file)).load(model, &network).unwrap();
            let batch = batch.parse().unwrap();
            let export = Export {
                network: &network,
                weights: &weights,
                file: &file,
                batch,
                precision: Precision::Fp32,
            };
            fs::write(folder.join(format!("{name}-{batch}.onnx")), super::export(&export)).unwrap();
        }
    }
}

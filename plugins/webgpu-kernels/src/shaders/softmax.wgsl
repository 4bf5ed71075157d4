// On the adapter: softmax of the rows of a matrix, a workgroup per row, in three passes over it.

override ROWS: u32;
override COLUMNS: u32;

@group(0) @binding(0) var<storage, read_write> output: array<f32>;
@group(0) @binding(1) var<storage, read> input: array<f32>;

var<workgroup> shared_values: array<f32, 256>;

fn largest_of_group(local: u32, own: f32) -> f32 {
    shared_values[local] = own;
    workgroupBarrier();
    for (var width = 128u; width > 0u; width /= 2u) {
        if local < width {
            shared_values[local] = max(shared_values[local], shared_values[local + width]);
        }
        workgroupBarrier();
    }
    let largest = shared_values[0];
    // Before anybody writes again.
    workgroupBarrier();
    return largest;
}

fn sum_of_group(local: u32, own: f32) -> f32 {
    shared_values[local] = own;
    workgroupBarrier();
    for (var width = 128u; width > 0u; width /= 2u) {
        if local < width {
            shared_values[local] += shared_values[local + width];
        }
        workgroupBarrier();
    }
    let sum = shared_values[0];
    workgroupBarrier();
    return sum;
}

@compute @workgroup_size(256)
fn softmax(
    @builtin(local_invocation_index) local: u32,
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
) {
    for (var row = group.x; row < ROWS; row += groups.x) {
        let start = row * COLUMNS;
        // The lowest float: every logit is larger.
        var largest = -0x1.fffffep+127f;
        for (var column = local; column < COLUMNS; column += 256u) {
            largest = max(largest, input[start + column]);
        }
        largest = largest_of_group(local, largest);
        var sum = 0.0;
        for (var column = local; column < COLUMNS; column += 256u) {
            sum += exp(input[start + column] - largest);
        }
        let scale = 1.0 / sum_of_group(local, sum);
        for (var column = local; column < COLUMNS; column += 256u) {
            output[start + column] = exp(input[start + column] - largest) * scale;
        }
    }
}

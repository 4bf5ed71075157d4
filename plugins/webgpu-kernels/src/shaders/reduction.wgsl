// On the adapter: a sum in two kernels. In each, an invocation adds up what is its own, then a workgroup halves itself.

override COUNT: u32;
override PARTIALS: u32;

@group(0) @binding(0) var<storage, read> values: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read_write> partials: array<f32>;
@group(0) @binding(2) var<storage, read_write> total: array<f32>;

var<workgroup> sums: array<f32, 256>;

// The sum over the workgroup, in `sums[0]` when it returns.
fn halve(local: u32, own: f32) {
    sums[local] = own;
    workgroupBarrier();
    for (var width = 128u; width > 0u; width /= 2u) {
        if local < width {
            sums[local] += sums[local + width];
        }
        workgroupBarrier();
    }
}

@compute @workgroup_size(256)
fn sum_by_groups(
    @builtin(global_invocation_id) id: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
) {
    let stride = groups.x * 256u;
    var own = vec4<f32>();
    for (var i = id.x; i < COUNT; i += stride) {
        own += values[i];
    }
    halve(local, own.x + own.y + own.z + own.w);
    if local == 0u {
        partials[group.x] = sums[0];
    }
}

@compute @workgroup_size(256)
fn sum_of_groups(@builtin(local_invocation_index) local: u32) {
    var own = 0.0;
    for (var i = local; i < PARTIALS; i += 256u) {
        own += partials[i];
    }
    halve(local, own);
    if local == 0u {
        total[0] = sums[0];
    }
}

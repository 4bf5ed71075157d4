// On the adapter: C = A B, row-major. A workgroup of 16 × 16 computes a tile of 64 × 64 of C, an invocation 4 × 4 of it:
// four neighbouring rows, and columns 16 apart, so that neighbours in the group read and write neighbouring words.

override M: u32;
override N: u32;
override K: u32;

@group(0) @binding(0) var<storage, read_write> c: array<f32>;
@group(0) @binding(1) var<storage, read> a: array<f32>;
@group(0) @binding(2) var<storage, read> b: array<f32>;

// Sixteen columns of A, each one word longer than the tile: neighbours would else write to one bank of memory.
var<workgroup> left: array<array<f32, 65>, 16>;
// Sixteen rows of B.
var<workgroup> right: array<array<f32, 64>, 16>;

@compute @workgroup_size(16, 16)
fn matmul(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(local_invocation_id) local: vec3<u32>,
    @builtin(local_invocation_index) index: u32,
) {
    let first_row = group.y * 64u;
    let first_column = group.x * 64u;
    var sums: array<vec4<f32>, 4>;
    for (var step = 0u; step < K; step += 16u) {
        for (var part = 0u; part < 4u; part++) {
            let word = index + part * 256u;
            let row = first_row + word / 16u;
            let depth = step + word % 16u;
            var value = 0.0;
            if row < M && depth < K {
                value = a[row * K + depth];
            }
            left[word % 16u][word / 16u] = value;
        }
        for (var part = 0u; part < 4u; part++) {
            let word = index + part * 256u;
            let depth = step + word / 64u;
            let column = first_column + word % 64u;
            var value = 0.0;
            if depth < K && column < N {
                value = b[depth * N + column];
            }
            right[word / 64u][word % 64u] = value;
        }
        workgroupBarrier();
        for (var depth = 0u; depth < 16u; depth++) {
            let x = local.x;
            let y = local.y * 4u;
            let columns = vec4<f32>(
                right[depth][x],
                right[depth][x + 16u],
                right[depth][x + 32u],
                right[depth][x + 48u],
            );
            sums[0] += left[depth][y] * columns;
            sums[1] += left[depth][y + 1u] * columns;
            sums[2] += left[depth][y + 2u] * columns;
            sums[3] += left[depth][y + 3u] * columns;
        }
        workgroupBarrier();
    }
    for (var i = 0u; i < 4u; i++) {
        let row = first_row + local.y * 4u + i;
        for (var j = 0u; j < 4u; j++) {
            let column = first_column + local.x + j * 16u;
            if row < M && column < N {
                c[row * N + column] = sums[i][j];
            }
        }
    }
}

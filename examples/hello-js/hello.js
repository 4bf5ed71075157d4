// The smallest useful plugin in JavaScript: looks up `n` keys in a Map. The names are those of dyno's WIT, in JavaScript's
// manner: https://github.com/bytecodealliance/ComponentizeJS says how types become values.

let keys, places;

// The sum of the places of all keys.
function lookUp() {
    let sum = 0;
    for (const key of keys) sum += places.get(key);
    return sum;
}

export const lifecycle = {
    // `params` are those of the descriptor. Equal seeds must make equal work.
    setup(benchmark, params, seed) {
        if (benchmark !== 'lookup_js') throw { tag: 'error', val: `there is no benchmark ${benchmark}` };
        const values = Object.fromEntries(params.map(({ name, value }) => [name, value.val]));
        const n = Number(values.n);
        keys = Array.from({ length: n }, (_, i) => `${seed}-${i}`);
        places = new Map(keys.map((key, i) => [key, i]));
    },

    // A failure is thrown as `error`; what cannot run here, as `skipped`.
    verify() {
        const expected = keys.length * (keys.length - 1) / 2;
        if (lookUp() !== expected) throw { tag: 'error', val: `the places add up to ${lookUp()}, not to ${expected}` };
    },

    prepare(iterations) {},

    // The only timed call. `iterations` is a BigInt, as every u64 is.
    execute(iterations) {
        let sum = 0;
        for (let i = 0n; i < iterations; i++) sum += lookUp();
        return { items: Number(iterations) * keys.length, bytes: 0, flop: 0, checksum: BigInt.asUintN(64, BigInt(sum)) };
    },

    processResults(samples) {},

    cleanup() {
        keys = places = undefined;
    },
};

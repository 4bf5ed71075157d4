;; Takes memory and touches it until none is given, then goes on without it.

(func (export "setup") (param i32 i32 i32 i32 i64) (result i32)
  (local $old i32)
  (loop $more
    (local.set $old (memory.grow (i32.const 16)))
    (if (i32.ne (local.get $old) (i32.const -1))
      (then
        (memory.fill (i32.mul (local.get $old) (i32.const 65536)) (i32.const 1) (i32.const 1048576))
        (br $more))))
  unreachable)

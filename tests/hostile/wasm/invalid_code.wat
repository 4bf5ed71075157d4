;; Whole as a file, but its code is of the wrong type: only a validator finds out.

(func (export "execute") (param i64) (result i32) (i64.const 1))

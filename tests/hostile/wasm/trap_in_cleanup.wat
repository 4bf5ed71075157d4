;; Measures well and traps at the end.

(func (export "cleanup") unreachable)

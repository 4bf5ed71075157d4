;; Wants the whole address space from the start.

(memory (export "memory") 65536)

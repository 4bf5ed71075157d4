;; Never finishes being instantiated.

(func $start (loop $again (br $again)))

(start $start)

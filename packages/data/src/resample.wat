;; The two passes of an antialiased resize of 8-bit RGB with 22-bit fixed-point weights: the integer arithmetic of
;; Pillow's Resample.c, four or sixteen channels at a time. Sums start at one half (2^21) and end with a shift by 22
;; and a clamp to 0..255. Weights and starts are int32; the caller leaves 16 bytes free behind every buffer.
(module
  (memory (export "memory") 1)

  ;; Rows of pixels in, rows of `columns` pixels out. `starts`: byte offset of the first pixel of each column.
  ;; A pixel is read and written as 4 bytes; the fourth belongs to the next pixel, which overwrites it.
  (func (export "horizontal")
    (param $source i32) (param $sourceStride i32) (param $rows i32)
    (param $target i32) (param $columns i32)
    (param $starts i32) (param $weights i32) (param $taps i32)
    (local $column i32) (local $pixel i32) (local $start i32) (local $weight i32) (local $end i32)
    (local $sum v128)
    (local.set $taps (i32.shl (local.get $taps) (i32.const 2)))
    (loop $nextRow
      (local.set $column (local.get $columns))
      (local.set $start (local.get $starts))
      (local.set $weight (local.get $weights))
      (loop $nextColumn
        (local.set $pixel (i32.add (local.get $source) (i32.load (local.get $start))))
        (local.set $sum (v128.const i32x4 0x200000 0x200000 0x200000 0x200000))
        (local.set $end (i32.add (local.get $weight) (local.get $taps)))
        (loop $nextTap
          (local.set $sum
            (i32x4.add (local.get $sum)
              (i32x4.mul
                (i32x4.extend_low_i16x8_u (i16x8.extend_low_i8x16_u (v128.load32_zero (local.get $pixel))))
                (v128.load32_splat (local.get $weight)))))
          (local.set $pixel (i32.add (local.get $pixel) (i32.const 3)))
          (local.set $weight (i32.add (local.get $weight) (i32.const 4)))
          (br_if $nextTap (i32.lt_u (local.get $weight) (local.get $end))))
        (local.set $sum (i32x4.shr_s (local.get $sum) (i32.const 22)))
        (local.set $sum (i16x8.narrow_i32x4_s (local.get $sum) (local.get $sum)))
        (v128.store32_lane 0 (local.get $target) (i8x16.narrow_i16x8_u (local.get $sum) (local.get $sum)))
        (local.set $target (i32.add (local.get $target) (i32.const 3)))
        (local.set $start (i32.add (local.get $start) (i32.const 4)))
        (local.set $column (i32.sub (local.get $column) (i32.const 1)))
        (br_if $nextColumn (local.get $column)))
      (local.set $source (i32.add (local.get $source) (local.get $sourceStride)))
      (local.set $rows (i32.sub (local.get $rows) (i32.const 1)))
      (br_if $nextRow (local.get $rows))))

  ;; Rows of `rowBytes` bytes in and out. `starts`: byte offset of the first source row of each row.
  ;; 16 bytes at a time; what runs over the end of a row is overwritten by the next row.
  (func (export "vertical")
    (param $source i32) (param $rowBytes i32)
    (param $target i32) (param $rows i32)
    (param $starts i32) (param $weights i32) (param $taps i32)
    (local $offset i32) (local $pixel i32) (local $weight i32) (local $end i32)
    (local $bytes v128) (local $half v128) (local $factor v128)
    (local $a v128) (local $b v128) (local $c v128) (local $d v128)
    (local.set $taps (i32.shl (local.get $taps) (i32.const 2)))
    (loop $nextRow
      (local.set $end (i32.add (local.get $weights) (local.get $taps)))
      (local.set $offset (i32.const 0))
      (loop $nextBlock
        (local.set $pixel
          (i32.add (i32.add (local.get $source) (i32.load (local.get $starts))) (local.get $offset)))
        (local.set $a (v128.const i32x4 0x200000 0x200000 0x200000 0x200000))
        (local.set $b (local.get $a))
        (local.set $c (local.get $a))
        (local.set $d (local.get $a))
        (local.set $weight (local.get $weights))
        (loop $nextTap
          (local.set $bytes (v128.load (local.get $pixel)))
          (local.set $factor (v128.load32_splat (local.get $weight)))
          (local.set $half (i16x8.extend_low_i8x16_u (local.get $bytes)))
          (local.set $a
            (i32x4.add (local.get $a)
              (i32x4.mul (local.get $factor) (i32x4.extend_low_i16x8_u (local.get $half)))))
          (local.set $b
            (i32x4.add (local.get $b)
              (i32x4.mul (local.get $factor) (i32x4.extend_high_i16x8_u (local.get $half)))))
          (local.set $half (i16x8.extend_high_i8x16_u (local.get $bytes)))
          (local.set $c
            (i32x4.add (local.get $c)
              (i32x4.mul (local.get $factor) (i32x4.extend_low_i16x8_u (local.get $half)))))
          (local.set $d
            (i32x4.add (local.get $d)
              (i32x4.mul (local.get $factor) (i32x4.extend_high_i16x8_u (local.get $half)))))
          (local.set $pixel (i32.add (local.get $pixel) (local.get $rowBytes)))
          (local.set $weight (i32.add (local.get $weight) (i32.const 4)))
          (br_if $nextTap (i32.lt_u (local.get $weight) (local.get $end))))
        (v128.store (i32.add (local.get $target) (local.get $offset))
          (i8x16.narrow_i16x8_u
            (i16x8.narrow_i32x4_s
              (i32x4.shr_s (local.get $a) (i32.const 22)) (i32x4.shr_s (local.get $b) (i32.const 22)))
            (i16x8.narrow_i32x4_s
              (i32x4.shr_s (local.get $c) (i32.const 22)) (i32x4.shr_s (local.get $d) (i32.const 22)))))
        (local.set $offset (i32.add (local.get $offset) (i32.const 16)))
        (br_if $nextBlock (i32.lt_u (local.get $offset) (local.get $rowBytes))))
      (local.set $target (i32.add (local.get $target) (local.get $rowBytes)))
      (local.set $starts (i32.add (local.get $starts) (i32.const 4)))
      (local.set $weights (local.get $end))
      (local.set $rows (i32.sub (local.get $rows) (i32.const 1)))
      (br_if $nextRow (local.get $rows)))))

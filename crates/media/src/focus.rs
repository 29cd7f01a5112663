//! Which part of an image a square crop shows.

/// The focal point of an image, in fractions of its width and height: 0,0 is the top left, 1,1 the bottom right.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Focus {
    x: f64,
    y: f64,
}

impl Focus {
    /// A point inside the image; `None` if a coordinate is not between 0 and 1.
    pub fn new(x: f64, y: f64) -> Option<Self> {
        let unit = 0.0..=1.0;
        (unit.contains(&x) && unit.contains(&y)).then_some(Self { x, y })
    }

    /// Distance from the left edge, as a fraction of the width.
    pub fn x(self) -> f64 {
        self.x
    }

    /// Distance from the top edge, as a fraction of the height.
    pub fn y(self) -> f64 {
        self.y
    }

    /// The largest square of an image, centred on this point as closely as the edges allow.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "the value is a whole number between zero and a side"
    )]
    pub fn square(self, width: u32, height: u32) -> Square {
        let side = width.min(height);
        let start = |length: u32, fraction: f64| {
            let middle = f64::from(length) * fraction;
            let start = (middle - f64::from(side) / 2.0).round();
            start.clamp(0.0, f64::from(length - side)) as u32
        };
        Square { x: start(width, self.x), y: start(height, self.y), side }
    }
}

/// A square inside an image, in pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Square {
    /// Distance from the left edge.
    pub x: u32,
    /// Distance from the top edge.
    pub y: u32,
    /// Width and height.
    pub side: u32,
}

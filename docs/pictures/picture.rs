//! Draws what a terminal shows as SVG: standard input to standard output; see docs/pictures.sh.

use std::io::{Read as _, Write as _};

fn main() -> std::io::Result<()> {
    let mut text = String::new();
    std::io::stdin().lock().read_to_string(&mut text)?;
    std::io::stdout().lock().write_all(anstyle_svg::Term::new().render_svg(&text).as_bytes())
}

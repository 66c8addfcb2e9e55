"""Light on what the rasteriser found: textures, one lamp with its shadow, a dome, lamps nearby, fog, wet ground.

- A pixel is shaded once where its sub-samples lie on one smooth surface, else once a sub-sample.
- Textures hold square roots of reflectance, so that a byte is fine enough for dark cloth.
"""

import math

import numpy as np
from jaxtyping import Float32, Int32, UInt8

from s2reid.compiled import kernel
from s2reid.world.raster import HALF, ONE, ZERO, Backdrop, Buffers, Light, Solid

BYTE = np.float32(1 / 255)
FAR = np.float32(1e9)


@kernel
def sample(
    textures: UInt8[np.ndarray, "n h w 3"], n: int, u: np.float32, v: np.float32
) -> tuple[np.float32, np.float32, np.float32]:
    """Read texture `n` bilinearly at (u, v) in [0, 1]; its edges are clamped."""
    height, width = textures.shape[1], textures.shape[2]
    x, y = u * np.float32(width) - HALF, v * np.float32(height) - HALF
    left, top = np.floor(x), np.floor(y)
    fx, fy = x - left, y - top
    i, j = min(max(int(top), 0), height - 2), min(max(int(left), 0), width - 2)
    a, b = (ONE - fx) * (ONE - fy) * BYTE, fx * (ONE - fy) * BYTE
    c, d = (ONE - fx) * fy * BYTE, fx * fy * BYTE
    t = textures  # indexed to the scalar: a view would count references, which costs more than the arithmetic
    return (
        t[n, i, j, 0] * a + t[n, i, j + 1, 0] * b + t[n, i + 1, j, 0] * c + t[n, i + 1, j + 1, 0] * d,
        t[n, i, j, 1] * a + t[n, i, j + 1, 1] * b + t[n, i + 1, j, 1] * c + t[n, i + 1, j + 1, 1] * d,
        t[n, i, j, 2] * a + t[n, i, j + 1, 2] * b + t[n, i + 1, j, 2] * c + t[n, i + 1, j + 1, 2] * d,
    )


@kernel
def sunlit(
    x: np.float32, y: np.float32, z: np.float32, matrix: Float32[np.ndarray, "3 4"], shadow: Float32[np.ndarray, "s s"]
) -> np.float32:
    """Say which share of a point the lamp reaches: four shadow samples, blended; 1 outside the shadow map."""
    u = matrix[0, 0] * x + matrix[0, 1] * y + matrix[0, 2] * z + matrix[0, 3] - HALF
    v = matrix[1, 0] * x + matrix[1, 1] * y + matrix[1, 2] * z + matrix[1, 3] - HALF
    d = matrix[2, 0] * x + matrix[2, 1] * y + matrix[2, 2] * z + matrix[2, 3] + np.float32(0.015)
    size = shadow.shape[0]
    left, top = np.floor(u), np.floor(v)
    if left < 0 or top < 0 or left >= size - 1 or top >= size - 1:
        return ONE
    i, j, fx, fy = int(top), int(left), u - left, v - top
    lit = ZERO
    if shadow[i, j] <= d:
        lit += (ONE - fx) * (ONE - fy)
    if shadow[i, j + 1] <= d:
        lit += fx * (ONE - fy)
    if shadow[i + 1, j] <= d:
        lit += (ONE - fx) * fy
    if shadow[i + 1, j + 1] <= d:
        lit += fx * fy
    return lit


@kernel
def shaded(
    x: np.float32,
    y: np.float32,
    z: np.float32,
    matrix: Float32[np.ndarray, "2 4"],
    pattern: Float32[np.ndarray, "s s"],
) -> np.float32:
    """Say which share of the lamp a repeating pattern (leaves, a roof's edge) lets through to a point."""
    u = matrix[0, 0] * x + matrix[0, 1] * y + matrix[0, 2] * z + matrix[0, 3]
    v = matrix[1, 0] * x + matrix[1, 1] * y + matrix[1, 2] * z + matrix[1, 3]
    size = pattern.shape[0]
    u, v = (u - np.floor(u)) * np.float32(size), (v - np.floor(v)) * np.float32(size)
    j, i = min(int(u), size - 1), min(int(v), size - 1)
    fx, fy = u - np.float32(j), v - np.float32(i)
    k, m = (j + 1) % size, (i + 1) % size
    upper = pattern[i, j] * (ONE - fx) + pattern[i, k] * fx
    lower = pattern[m, j] * (ONE - fx) + pattern[m, k] * fx
    return upper * (ONE - fy) + lower * fy


@kernel
def lamplight(
    lamps: Float32[np.ndarray, "l 6"],
    x: np.float32,
    y: np.float32,
    z: np.float32,
    nx: np.float32,
    ny: np.float32,
    nz: np.float32,
) -> tuple[np.float32, np.float32, np.float32]:
    """Add up the lamps nearby: less with the square of the distance, a little around the corner."""
    red, green, blue = ZERO, ZERO, ZERO
    for k in range(len(lamps)):
        lx, ly, lz = lamps[k, 0] - x, lamps[k, 1] - y, lamps[k, 2] - z
        square = lx * lx + ly * ly + lz * lz + ONE
        facing = np.float32(0.3) + np.float32(0.7) * (nx * lx + ny * ly + nz * lz) / math.sqrt(square)
        if facing > 0:
            share = facing / square
            red += share * lamps[k, 3]
            green += share * lamps[k, 4]
            blue += share * lamps[k, 5]
    return red, green, blue


@kernel
def glint(
    lamps: Float32[np.ndarray, "l 6"],
    eye: Float32[np.ndarray, " 3"],
    x: np.float32,
    y: np.float32,
) -> tuple[np.float32, np.float32, np.float32]:
    """Mirror the lamps nearby on wet ground, drawn out towards the eye."""
    red, green, blue = ZERO, ZERO, ZERO
    for k in range(len(lamps)):
        # The mirror image of a lamp lies on the way from the eye to the lamp under the ground.
        share = eye[2] / (eye[2] + lamps[k, 2])
        dx, dy = eye[0] + (lamps[k, 0] - eye[0]) * share - x, eye[1] + (lamps[k, 1] - eye[1]) * share - y
        wx, wy = lamps[k, 0] - eye[0], lamps[k, 1] - eye[1]
        length = math.sqrt(wx * wx + wy * wy) + np.float32(0.1)
        along, across = (dx * wx + dy * wy) / length, (dx * wy - dy * wx) / length
        near = ONE + along * along * np.float32(0.3) + across * across * np.float32(8)
        share = np.float32(0.2) / (near * near)
        red += share * lamps[k, 3]
        green += share * lamps[k, 4]
        blue += share * lamps[k, 5]
    return red, green, blue


@kernel
def is_smooth(solid: Solid, buffers: Buffers, top: int, left: int, samples: int) -> bool:
    """Say whether all sub-samples of a pixel see the backdrop, or one object without a step in depth."""
    first, near = buffers.face[top, left], buffers.depth[top, left]
    for y in range(top, top + samples):
        for x in range(left, left + samples):
            face = buffers.face[y, x]
            if (face < 0) != (first < 0):
                return False
            if face >= 0 and (
                solid.owner[face] != solid.owner[first] or abs(buffers.depth[y, x] - near) > np.float32(0.004) * near
            ):
                return False
    return True


@kernel
def hit_backdrop(
    backdrop: Backdrop, eye: Float32[np.ndarray, " 3"], dx: np.float32, dy: np.float32, dz: np.float32
) -> tuple[np.float32, int]:
    """Find the nearest plane along a ray: its distance in ray lengths and its index, or -1 for the sky."""
    nearest, index = FAR, -1
    for p in range(len(backdrop.planes)):
        nx, ny, nz = backdrop.planes[p, 0], backdrop.planes[p, 1], backdrop.planes[p, 2]
        slope = nx * dx + ny * dy + nz * dz
        if slope >= -1e-6:
            continue
        t = (backdrop.planes[p, 3] - nx * eye[0] - ny * eye[1] - nz * eye[2]) / slope
        if t > 0 and t < nearest and eye[2] + dz * t <= backdrop.tops[p]:
            nearest, index = t, p
    return nearest, index


@kernel
def shade(
    solid: Solid,
    screen: Float32[np.ndarray, "v 3"],
    buffers: Buffers,
    textures: UInt8[np.ndarray, "o s s 3"],
    backdrop: Backdrop,
    light: Light,
    shadow: Float32[np.ndarray, "s s"],
    to_shadow: Float32[np.ndarray, "3 4"],
    eye: Float32[np.ndarray, " 3"],
    ray: Float32[np.ndarray, "3 3"],
    feet: Float32[np.ndarray, "p 2"],
    samples: int,
    out: Float32[np.ndarray, "h w 3"],
    visible: Int32[np.ndarray, " o"],
) -> None:
    """Write linear RGB; count in `visible` the sub-samples that see each object."""
    points, normals = solid.vertices, solid.normals
    # Scalars are read once: the compiler cannot know that writing a pixel leaves the lamp alone.
    lamp_x, lamp_y, lamp_z = light.direction[0], light.direction[1], light.direction[2]
    lamp_r, lamp_g, lamp_b = light.direct[0], light.direct[1], light.direct[2]
    dome_r, dome_g, dome_b = light.dome[0], light.dome[1], light.dome[2]
    eye_x, eye_y, eye_z = eye[0], eye[1], eye[2]
    fog_r, fog_g, fog_b, fog, wet = light.air[0], light.air[1], light.air[2], light.air[3], light.air[4]
    glow, has_shade = np.float32(1.4), light.shade.shape[0] > 1
    sky_r = backdrop.sky[0] * (glow * dome_r + HALF * lamp_r)
    sky_g = backdrop.sky[1] * (glow * dome_g + HALF * lamp_g)
    sky_b = backdrop.sky[2] * (glow * dome_b + HALF * lamp_b)
    clear = max(ZERO, ONE - np.float32(40) * fog)
    smooth_share, rough_share = ONE, np.float32(1 / (samples * samples))
    for row in range(out.shape[0]):
        for column in range(out.shape[1]):
            red, green, blue = ZERO, ZERO, ZERO
            smooth = is_smooth(solid, buffers, row * samples, column * samples, samples)
            times = 1 if smooth else samples
            share = smooth_share if smooth else rough_share
            for y in range(row * samples, row * samples + times):
                for x in range(column * samples, column * samples + times):
                    face = buffers.face[y, x]
                    if face >= 0:
                        a, b, c = solid.faces[face, 0], solid.faces[face, 1], solid.faces[face, 2]
                        q0 = buffers.weights[y, x, 0] * screen[a, 2]
                        q1 = buffers.weights[y, x, 1] * screen[b, 2]
                        q2 = (ONE - buffers.weights[y, x, 0] - buffers.weights[y, x, 1]) * screen[c, 2]
                        total = ONE / (q0 + q1 + q2)
                        q0, q1, q2 = q0 * total, q1 * total, q2 * total
                        px = q0 * points[a, 0] + q1 * points[b, 0] + q2 * points[c, 0]
                        py = q0 * points[a, 1] + q1 * points[b, 1] + q2 * points[c, 1]
                        pz = q0 * points[a, 2] + q1 * points[b, 2] + q2 * points[c, 2]
                        nx = q0 * normals[a, 0] + q1 * normals[b, 0] + q2 * normals[c, 0]
                        ny = q0 * normals[a, 1] + q1 * normals[b, 1] + q2 * normals[c, 1]
                        nz = q0 * normals[a, 2] + q1 * normals[b, 2] + q2 * normals[c, 2]
                        length = ONE / math.sqrt(nx * nx + ny * ny + nz * nz + np.float32(1e-9))
                        nx, ny, nz = nx * length, ny * length, nz * length
                        owner = solid.owner[face]
                        visible[owner] += samples * samples if smooth else 1
                        u = q0 * solid.uv[a, 0] + q1 * solid.uv[b, 0] + q2 * solid.uv[c, 0]
                        v = q0 * solid.uv[a, 1] + q1 * solid.uv[b, 1] + q2 * solid.uv[c, 1]
                        cr, cg, cb = sample(textures, owner, u, v)
                        open_sky = min(ONE, np.float32(0.6) + HALF * pz)
                        gloss = np.float32(0.10)
                    else:
                        fx, fy = np.float32(x) + HALF, np.float32(y) + HALF
                        dx = ray[0, 0] * fx + ray[0, 1] * fy + ray[0, 2]
                        dy = ray[1, 0] * fx + ray[1, 1] * fy + ray[1, 2]
                        dz = ray[2, 0] * fx + ray[2, 1] * fy + ray[2, 2]
                        t, plane = hit_backdrop(backdrop, eye, dx, dy, dz)
                        if plane < 0 or t > 300:
                            red += sky_r * clear + fog_r * (ONE - clear)
                            green += sky_g * clear + fog_g * (ONE - clear)
                            blue += sky_b * clear + fog_b * (ONE - clear)
                            continue
                        nx, ny, nz = backdrop.planes[plane, 0], backdrop.planes[plane, 1], backdrop.planes[plane, 2]
                        px, py, pz = eye_x + dx * t, eye_y + dy * t, eye_z + dz * t
                        scale = backdrop.scales[plane]
                        if abs(nz) > HALF:
                            u, v = px * scale, py * scale
                        else:
                            u, v = (nx * py - ny * px) * scale, pz * scale
                        cr, cg, cb = sample(backdrop.textures, plane, u - np.floor(u), v - np.floor(v))
                        open_sky, gloss = ONE, ZERO
                        if nz > HALF:
                            # Feet darken the ground around them even where no lamp casts a shadow.
                            for o in range(len(feet)):
                                r = ((px - feet[o, 0]) ** 2 + (py - feet[o, 1]) ** 2) * np.float32(12)
                                open_sky *= ONE - HALF / ((ONE + r) * (ONE + r))
                    facing = nx * lamp_x + ny * lamp_y + nz * lamp_z
                    lit = ZERO
                    if facing > 0 and lamp_g > 0:
                        lift = np.float32(0.012)
                        lit = facing * sunlit(px + nx * lift, py + ny * lift, pz + nz * lift, to_shadow, shadow)
                        if has_shade:
                            lit *= shaded(px, py, pz, light.shade_matrix, light.shade)
                    dome_share = (np.float32(0.62) + np.float32(0.38) * nz) * open_sky
                    shine = ZERO
                    if gloss > 0 and lit > 0:
                        hx, hy, hz = eye_x - px, eye_y - py, eye_z - pz
                        length = ONE / math.sqrt(hx * hx + hy * hy + hz * hz)
                        hx, hy, hz = hx * length + lamp_x, hy * length + lamp_y, hz * length + lamp_z
                        length = ONE / math.sqrt(hx * hx + hy * hy + hz * hz)
                        shine = max(ZERO, (nx * hx + ny * hy + nz * hz) * length)
                        shine *= shine
                        shine *= shine
                        shine *= shine
                        shine *= shine * gloss * lit
                    near_r, near_g, near_b = lamplight(light.lamps, px, py, pz, nx, ny, nz)
                    own_r = cr * cr * (dome_r * dome_share + lamp_r * lit + near_r) + shine * lamp_r
                    own_g = cg * cg * (dome_g * dome_share + lamp_g * lit + near_g) + shine * lamp_g
                    own_b = cb * cb * (dome_b * dome_share + lamp_b * lit + near_b) + shine * lamp_b
                    if wet > 0 and face < 0 and nz > HALF:
                        # Wet ground is darker, and mirrors sky and lamps the more, the flatter the eye looks at it.
                        hx, hy, hz = eye_x - px, eye_y - py, eye_z - pz
                        flat = ONE - hz / math.sqrt(hx * hx + hy * hy + hz * hz)
                        mirror = wet * (np.float32(0.06) + np.float32(0.6) * flat * flat * flat) * (HALF + cg)
                        dull = ONE - HALF * wet
                        glint_r, glint_g, glint_b = glint(light.lamps, eye, px, py)
                        own_r = own_r * dull + mirror * (sky_r + glint_r)
                        own_g = own_g * dull + mirror * (sky_g + glint_g)
                        own_b = own_b * dull + mirror * (sky_b + glint_b)
                    if fog > 0:
                        hx, hy, hz = eye_x - px, eye_y - py, eye_z - pz
                        thick = fog * math.sqrt(hx * hx + hy * hy + hz * hz)
                        through = ONE / (ONE + thick + HALF * thick * thick)
                        own_r = own_r * through + fog_r * (ONE - through)
                        own_g = own_g * through + fog_g * (ONE - through)
                        own_b = own_b * through + fog_b * (ONE - through)
                    red += own_r
                    green += own_g
                    blue += own_b
            out[row, column, 0], out[row, column, 1], out[row, column, 2] = red * share, green * share, blue * share

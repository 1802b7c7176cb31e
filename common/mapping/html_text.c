#include "mapping/html_text.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

enum {
    REFERENCE_NAME_MAX = 8,
    REPLACEMENT = 0xfffd,
    LATIN_1_FIRST = 0xa0,
    CODE_POINT_MAX = 0x10ffff
};

/* The text that is written, and what must come before its next character. */
struct writer {
    struct buffer *out;
    size_t start; /* where this text begins in out */
    int blank;    /* a blank is due */
    int line;     /* a new line is due */
    int item;     /* it begins with `- ` */
};

/* The named character references that descriptions of products use. Those of U+00A0 to U+00FF are
 * in their order. Any other name stays as it was written. */
static const char latin_1[][REFERENCE_NAME_MAX + 1] = {
    "nbsp",   "iexcl",  "cent",   "pound",  "curren", "yen",    "brvbar", "sect",   "uml",
    "copy",   "ordf",   "laquo",  "not",    "shy",    "reg",    "macr",   "deg",    "plusmn",
    "sup2",   "sup3",   "acute",  "micro",  "para",   "middot", "cedil",  "sup1",   "ordm",
    "raquo",  "frac14", "frac12", "frac34", "iquest", "Agrave", "Aacute", "Acirc",  "Atilde",
    "Auml",   "Aring",  "AElig",  "Ccedil", "Egrave", "Eacute", "Ecirc",  "Euml",   "Igrave",
    "Iacute", "Icirc",  "Iuml",   "ETH",    "Ntilde", "Ograve", "Oacute", "Ocirc",  "Otilde",
    "Ouml",   "times",  "Oslash", "Ugrave", "Uacute", "Ucirc",  "Uuml",   "Yacute", "THORN",
    "szlig",  "agrave", "aacute", "acirc",  "atilde", "auml",   "aring",  "aelig",  "ccedil",
    "egrave", "eacute", "ecirc",  "euml",   "igrave", "iacute", "icirc",  "iuml",   "eth",
    "ntilde", "ograve", "oacute", "ocirc",  "otilde", "ouml",   "divide", "oslash", "ugrave",
    "uacute", "ucirc",  "uuml",   "yacute", "thorn",  "yuml"};

static const struct {
    const char *name;
    uint32_t code;
} others[] = {{"amp", '&'},       {"lt", '<'},        {"gt", '>'},        {"quot", '"'},
              {"apos", '\''},     {"ndash", 0x2013},  {"mdash", 0x2014},  {"lsquo", 0x2018},
              {"rsquo", 0x2019},  {"sbquo", 0x201a},  {"ldquo", 0x201c},  {"rdquo", 0x201d},
              {"bdquo", 0x201e},  {"bull", 0x2022},   {"hellip", 0x2026}, {"prime", 0x2032},
              {"Prime", 0x2033},  {"lsaquo", 0x2039}, {"rsaquo", 0x203a}, {"euro", 0x20ac},
              {"trade", 0x2122},  {"rarr", 0x2192},   {"larr", 0x2190},   {"ne", 0x2260},
              {"le", 0x2264},     {"ge", 0x2265},     {"ensp", 0x2002},   {"emsp", 0x2003},
              {"thinsp", 0x2009}, {"zwnj", 0x200c},   {"OElig", 0x152},   {"oelig", 0x153},
              {"Scaron", 0x160},  {"scaron", 0x161},  {"Yuml", 0x178}};

/* What browsers read for the numeric references 128 to 159, which old editors wrote for these signs of
 * Windows-1252. 0: none. */
static const uint16_t windows_1252[] = {
    0x20ac, 0,      0x201a, 0x192,  0x201e, 0x2026, 0x2020, 0x2021, 0x2c6,  0x2030, 0x160,
    0x2039, 0x152,  0,      0x17d,  0,      0,      0x2018, 0x2019, 0x201c, 0x201d, 0x2022,
    0x2013, 0x2014, 0x2dc,  0x2122, 0x161,  0x203a, 0x153,  0,      0x17e,  0x178};

/* Elements that begin and end a line. */
static const char *const blocks[] = {
    "p",       "div",     "br",      "li",         "ul",      "ol",     "h1",
    "h2",      "h3",      "h4",      "h5",         "h6",      "tr",     "table",
    "section", "article", "aside",   "blockquote", "header",  "footer", "hr",
    "dl",      "dt",      "dd",      "pre",        "figure",  "form",   "fieldset",
    "main",    "nav",     "caption", "figcaption", "address", "option", "title"};

/* Those that begin or end an item. A paragraph with which an item begins is still the item. */
static const char *const lists[] = {"li", "ul", "ol"};

/* Elements whose content is no text. */
static const char *const hidden[] = {"script", "style", "template"};

static int is_one_of(struct text name, const char *const *names, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (text_equal_nocase(name, text_of(names[i])))
            return 1;
    return 0;
}

#define IS_ONE_OF(name, names) is_one_of(name, names, sizeof(names) / sizeof((names)[0]))

static int is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

static int is_digit(char c) { return c >= '0' && c <= '9'; }

/* Writes what is due before the next character. At the beginning of the text and of a line there is
 * no blank. */
static void write_due(struct writer *writer)
{
    int begun = writer->out->length > writer->start;

    if (writer->line && begun)
        buffer_append(writer->out, "\n", 1);
    if (writer->item)
        buffer_append(writer->out, "- ", 2);
    else if (writer->blank && begun && !writer->line)
        buffer_append(writer->out, " ", 1);
    writer->line = writer->blank = writer->item = 0;
}

/* Whether a character is a blank: also the ones that do not break, and control characters. */
static int is_blank(uint32_t code)
{
    return code <= ' ' || (code >= 0x7f && code <= 0xa0) || (code >= 0x2000 && code <= 0x200b) ||
           code == 0x2028 || code == 0x2029 || code == 0x202f || code == 0x3000 || code == 0xfeff;
}

static void write_code(struct writer *writer, uint32_t code)
{
    char bytes[4];
    size_t length = 0;

    if (is_blank(code)) {
        writer->blank = 1;
        return;
    }
    if (code < 0x80) {
        bytes[length++] = (char)code;
    } else if (code < 0x800) {
        bytes[length++] = (char)(0xc0 | code >> 6);
        bytes[length++] = (char)(0x80 | (code & 0x3f));
    } else if (code < 0x10000) {
        bytes[length++] = (char)(0xe0 | code >> 12);
        bytes[length++] = (char)(0x80 | (code >> 6 & 0x3f));
        bytes[length++] = (char)(0x80 | (code & 0x3f));
    } else {
        bytes[length++] = (char)(0xf0 | code >> 18);
        bytes[length++] = (char)(0x80 | (code >> 12 & 0x3f));
        bytes[length++] = (char)(0x80 | (code >> 6 & 0x3f));
        bytes[length++] = (char)(0x80 | (code & 0x3f));
    }
    write_due(writer);
    buffer_append(writer->out, bytes, length);
}

/* Reads one character of valid UTF-8. @returns how many bytes it has */
static size_t read_code(struct text text, uint32_t *code)
{
    unsigned char first = (unsigned char)text.data[0];
    size_t length = first < 0x80 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;

    *code = first < 0x80 ? first : first & (0x7fu >> length);
    if (length > text.length)
        length = text.length;
    for (size_t i = 1; i < length; i++)
        *code = *code << 6 | ((unsigned char)text.data[i] & 0x3f);
    return length;
}

/* Reads the digits of a numeric reference. @returns how many bytes, 0: none */
static size_t read_number(struct text text, uint32_t *code)
{
    size_t at = 0, first;
    uint32_t base = 10;

    if (at < text.length && (text.data[at] == 'x' || text.data[at] == 'X')) {
        base = 16;
        at++;
    }
    *code = 0;
    for (first = at; at < text.length; at++) {
        char c = text.data[at];
        uint32_t digit = 16;

        if (is_digit(c))
            digit = (uint32_t)(c - '0');
        else if (base == 16 && is_letter(c) && (c | 0x20) <= 'f')
            digit = (uint32_t)((c | 0x20) - 'a') + 10;
        if (digit >= base)
            break;
        if (*code <= CODE_POINT_MAX)
            *code = *code * base + digit;
    }
    if (*code == 0 || *code > CODE_POINT_MAX || (*code >= 0xd800 && *code <= 0xdfff))
        *code = REPLACEMENT;
    else if (*code >= 0x80 && *code < LATIN_1_FIRST && windows_1252[*code - 0x80] != 0)
        *code = windows_1252[*code - 0x80];
    return at > first ? at : 0;
}

/* Finds a name. It is compared with its case: `Auml` and `auml` are two letters. @returns its code
 * point, or 0 */
static uint32_t find_name(struct text name)
{
    for (size_t i = 0; i < sizeof(latin_1) / sizeof(latin_1[0]); i++)
        if (text_is(name, latin_1[i]))
            return LATIN_1_FIRST + (uint32_t)i;
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
        if (text_is(name, others[i].name))
            return others[i].code;
    return 0;
}

/* Reads a reference behind its `&`. @returns how many bytes belong to it; 0: it is none */
static size_t read_reference(struct text text, uint32_t *code)
{
    size_t length = 0;

    if (text.length > 1 && text.data[0] == '#') {
        length = read_number((struct text){text.data + 1, text.length - 1}, code);
        length += length > 0;
    } else {
        while (length < text.length && length <= REFERENCE_NAME_MAX &&
               (is_letter(text.data[length]) || is_digit(text.data[length])))
            length++;
        *code = find_name((struct text){text.data, length});
        /* A name needs its semicolon. Without it `&copy=1` of an address would be a sign. */
        if (*code == 0 || length == text.length || text.data[length] != ';')
            return 0;
    }
    if (length > 0 && length < text.length && text.data[length] == ';')
        length++;
    return length;
}

/* Where the needle begins in the text, letters compared without case; the text's length where it
 * does not. */
static size_t find(struct text text, const char *needle)
{
    size_t length = strlen(needle);

    for (size_t i = 0; i + length <= text.length; i++)
        if (text_equal_nocase((struct text){text.data + i, length}, text_of(needle)))
            return i;
    return text.length;
}

static struct text from(struct text text, size_t at)
{
    return (struct text){text.data + at, text.length - at};
}

/* The bytes of a tag up to its `>`, which may stand in a quoted value as well; all of the text where
 * it does not end. */
static size_t tag_length(struct text text)
{
    char quote = 0;

    for (size_t i = 0; i < text.length; i++) {
        char c = text.data[i];

        if (quote != 0)
            quote = c == quote ? 0 : quote;
        else if ((c == '"' || c == '\'') && i > 0 && text.data[i - 1] == '=')
            quote = c;
        else if (c == '>')
            return i + 1;
    }
    return text.length;
}

/* Skips what stands in an element whose content is no text, with its end tag. */
static size_t skip_hidden(struct text text, struct text name)
{
    char end[16] = "</";
    size_t at;

    memcpy(end + 2, name.data, name.length);
    at = find(text, end);
    return at + tag_length(from(text, at));
}

/* Takes a tag, a comment or a declaration, whose `<` is the first byte. @returns how many bytes; 0:
 * it is a mere `<` */
static size_t take_markup(struct writer *writer, struct text text)
{
    size_t at = 1, name_at, length;
    struct text name;

    if (text.length < 2)
        return 0;
    if (text.length >= 4 && memcmp(text.data, "<!--", 4) == 0) {
        at = 4 + find(from(text, 4), "-->");
        return at + 3 < text.length ? at + 3 : text.length;
    }
    if (text.data[1] == '!' || text.data[1] == '?')
        return tag_length(text);
    at += text.data[1] == '/';
    for (name_at = at; at < text.length && (is_letter(text.data[at]) || is_digit(text.data[at]));)
        at++;
    name = (struct text){text.data + name_at, at - name_at};
    if (name.length == 0 || !is_letter(name.data[0]))
        return 0;
    length = at + tag_length(from(text, at));
    if (name_at == 1 && IS_ONE_OF(name, hidden))
        return length + skip_hidden(from(text, length), name);
    if (IS_ONE_OF(name, blocks)) {
        writer->line = 1;
        if (IS_ONE_OF(name, lists))
            writer->item = name_at == 1 && text_equal_nocase(name, text_of("li"));
    } else if (text_equal_nocase(name, text_of("td")) || text_equal_nocase(name, text_of("th"))) {
        writer->blank = 1;
    }
    return length;
}

void html_to_text(struct text html, struct buffer *out)
{
    struct writer writer = {.out = out, .start = out->length};
    size_t at = 0;

    while (at < html.length) {
        struct text rest = from(html, at);
        uint32_t code = (unsigned char)rest.data[0];
        size_t taken = 0;

        if (code == '<')
            taken = take_markup(&writer, rest);
        else if (code == '&' && (taken = read_reference(from(rest, 1), &code)) > 0) {
            write_code(&writer, code);
            taken++;
        }
        if (taken == 0) {
            taken = read_code(rest, &code);
            write_code(&writer, code);
        }
        at += taken;
    }
}

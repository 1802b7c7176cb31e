#include "files.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "base/digest.h"
#include "base/mem.h"

/* Made by the Makefile from services/console/page/ and Debian's libjs-chart.js. */
static const unsigned char index_html[] = {
#include "console/index.html.h"
};
static const unsigned char console_css[] = {
#include "console/console.css.h"
};
static const unsigned char console_js[] = {
#include "console/console.js.h"
};
static const unsigned char overview_js[] = {
#include "console/overview.js.h"
};
static const unsigned char acts_js[] = {
#include "console/acts.js.h"
};
static const unsigned char icon_svg[] = {
#include "console/icon.svg.h"
};
static const unsigned char chart_js[] = {
#include "console/chart.min.js.h"
};
static const unsigned char openapi_json[] = {
#include "console/openapi.json.h"
};

#define JAVASCRIPT "text/javascript; charset=utf-8"

static const struct file files[] = {
    {"/", "text/html; charset=utf-8", index_html, sizeof(index_html), 0},
    {"/console.css", "text/css; charset=utf-8", console_css, sizeof(console_css), 1},
    {"/console.js", JAVASCRIPT, console_js, sizeof(console_js), 1},
    {"/overview.js", JAVASCRIPT, overview_js, sizeof(overview_js), 1},
    {"/acts.js", JAVASCRIPT, acts_js, sizeof(acts_js), 1},
    {"/chart.js", JAVASCRIPT, chart_js, sizeof(chart_js), 1},
    {"/icon.svg", "image/svg+xml", icon_svg, sizeof(icon_svg), 1},
    {"/api/v1/openapi.json", "application/json", openapi_json, sizeof(openapi_json), 1},
};

const struct file *file_find(const char *path)
{
    for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++)
        if (strcmp(files[i].path, path) == 0)
            return &files[i];
    return NULL;
}

static char tags[sizeof(files) / sizeof(files[0])][DIGEST_BYTES + 2];
static pthread_once_t tags_once = PTHREAD_ONCE_INIT;

static void make_tags(void)
{
    for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
        struct text content = {(const char *)files[i].data, files[i].length};
        char digest[DIGEST_BYTES];

        digest_hex(digest, &content, 1);
        snprintf(tags[i], sizeof(tags[i]), "\"%s\"", digest);
    }
}

const char *file_tag(const struct file *file)
{
    pthread_once(&tags_once, make_tags);
    return tags[file - files];
}

using System.Globalization;
using System.Net;
using System.Text;
using Platform.Backup.Work;

namespace Platform.Backup.Drills;

/// <summary>The evidence of a drill as a page for people.</summary>
internal static class DrillPage
{
    /// <summary>The page, in HTML, without anything that it would have to load.</summary>
    public static string Of(DrillRecord drill)
    {
        var page = new StringBuilder();
        var title = $"Restore drill of {Moment(drill.At)}";
        page.Append(CultureInfo.InvariantCulture, $$"""
            <!DOCTYPE html>
            <html lang="en">
            <head>
            <meta charset="utf-8">
            <title>{{Text(title)}}</title>
            <style>
            body { font: 16px/1.5 system-ui, sans-serif; max-width: 50em; margin: 2em auto; padding: 0 1em; color: #1b1b1b; }
            h1 { font-size: 1.5em; } .result { padding: .5em 1em; border-left: .4em solid; }
            .good { border-color: #1a7f37; background: #e6f4ea; } .failed { border-color: #b3261e; background: #fce8e6; }
            table { border-collapse: collapse; } td, th { text-align: left; vertical-align: top; padding: .25em 1.5em .25em 0; border-bottom: 1px solid #ddd; }
            </style>
            </head>
            <body>
            <h1>{{Text(title)}}</h1>
            <p class="result {{(drill.IsGood ? "good" : "failed")}}"><strong>{{(drill.IsGood
                ? "Good." : "Failed.")}}</strong> {{Text(drill.IsGood
                ? "The database was restored beside the running one, and is what it was."
                : "What was restored is not what the database was, or was not restored at all.")}}</p>
            <table>

            """);
        Row("moment that was restored", drill.Moment?.UtcDateTime.ToString("yyyy-MM-dd HH:mm:ss.ffffff 'UTC'", CultureInfo.InvariantCulture) ?? "none");
        Row("from the command to the first answer", Seconds(drill.RestoreSeconds));
        Row("all of the drill", Seconds(drill.Seconds));
        Row("documents in the copy", drill.Documents.ToString("N0", CultureInfo.InvariantCulture));
        Row("compared with those of the running database", drill.Compared.ToString("N0", CultureInfo.InvariantCulture));
        page.Append("</table>\n");
        if (drill.Findings.Count > 0)
        {
            page.Append("<h2>What is wrong</h2>\n<table>\n<tr><th>what</th><th>how</th></tr>\n");
            foreach (var finding in drill.Findings)
            {
                Row(finding.Subject, finding.Fault);
            }

            page.Append("</table>\n");
        }

        page.Append("<h2>What was looked at</h2>\n<ul>\n");
        foreach (var check in drill.Checks)
        {
            page.Append(CultureInfo.InvariantCulture, $"<li>{Text(check)}</li>\n");
        }

        return page.Append("</ul>\n</body>\n</html>\n").ToString();

        void Row(string name, string value) => page.Append(CultureInfo.InvariantCulture, $"<tr><td>{Text(name)}</td><td>{Text(value)}</td></tr>\n");
    }

    private static string Moment(DateTimeOffset at) => at.UtcDateTime.ToString("yyyy-MM-dd HH:mm 'UTC'", CultureInfo.InvariantCulture);

    private static string Seconds(double? seconds) => seconds is { } s ? string.Create(CultureInfo.InvariantCulture, $"{s:0.0} s") : "did not come so far";

    private static string Text(string text) => WebUtility.HtmlEncode(text);
}

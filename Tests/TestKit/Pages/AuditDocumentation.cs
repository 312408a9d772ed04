using System.Text;
using Platform.Gateway.Commands;

namespace Platform.Tests.TestKit.Pages;

/// <summary>Writes the table of audited commands as Markdown, for the page <c>docs/audit.md</c>.</summary>
internal static class AuditDocumentation
{
    /// <summary>One row for each kind of event.</summary>
    /// <returns>Markdown with line feeds as line ends.</returns>
    public static string Render()
    {
        var page = new StringBuilder("| `atype` | command | `param` | before the reply |\n| --- | --- | --- | --- |\n");
        foreach (var kind in AuditTable.All.GroupBy(entry => entry.Value.Type, StringComparer.Ordinal).OrderBy(kind => kind.Key, StringComparer.Ordinal))
        {
            var audit = kind.First().Value;
            page.Append($"| `{kind.Key}` | {string.Join(", ", kind.Select(entry => $"`{entry.Key}`"))} | {audit.Particulars} "
                + $"| {(audit.Lasts ? "on the disk" : "written")} |\n");
        }

        return page.ToString();
    }
}

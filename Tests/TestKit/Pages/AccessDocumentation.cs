using System.Text;
using MongoDB.Bson;
using Platform.Data.Access;

namespace Platform.Tests.TestKit.Pages;

/// <summary>Writes the access catalogue as Markdown, for the page <c>docs/access.md</c>.</summary>
internal static class AccessDocumentation
{
    /// <summary>One section for each principal, with what it may do and why; then the views.</summary>
    /// <returns>Markdown with line feeds as line ends.</returns>
    public static string Render()
    {
        var page = new StringBuilder();
        foreach (var principal in AccessCatalogue.All)
        {
            page.Append($"### {principal.Name}\n\n{principal.Purpose}\n\n| may | on | because |\n| --- | --- | --- |\n");
            foreach (var role in principal.DatabaseRoles)
            {
                page.Append($"| what the role `{role}` allows | the platform's database | |\n");
            }

            foreach (var role in principal.ClusterRoles)
            {
                page.Append($"| what the role `{role}` allows | the cluster | |\n");
            }

            foreach (var grant in principal.Grants)
            {
                page.Append($"| {string.Join(", ", grant.Actions.Select(action => $"`{action}`"))} | {On(grant)} | {grant.Reason} |\n");
            }

            page.Append('\n');
        }

        page.Append("### Views\n\n| view | of | shows |\n| --- | --- | --- |\n");
        foreach (var (name, view) in AccessCatalogue.Views)
        {
            page.Append($"| `{name}` | `{view.On}` | `{new BsonArray(view.Pipeline).ToJson()}` |\n");
        }

        return page.ToString();
    }

    private static string On(Grant grant) => grant.On switch
    {
        GrantTarget.Cluster => "the cluster",
        GrantTarget.Users => "the users and roles of `admin`",
        GrantTarget.Database => "the platform's database",
        _ => string.Join(", ", grant.Collections.Select(collection => $"`{collection}`")),
    };
}

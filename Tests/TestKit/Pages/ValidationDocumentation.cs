using System.Text;
using Platform.Api.Requests;
using Platform.Data.Catalogue;
using Platform.Data.Validation;

namespace Platform.Tests.TestKit.Pages;

/// <summary>Writes the rules as Markdown, for the page <c>docs/validation.md</c>.</summary>
internal static class ValidationDocumentation
{
    /// <summary>One section per collection: every rule, its code and sentence, and where it is enforced.</summary>
    /// <param name="requests">What the API's requests are checked by.</param>
    /// <returns>Markdown with line feeds as line ends.</returns>
    public static string Render(IReadOnlyList<RequestRule> requests)
    {
        ArgumentNullException.ThrowIfNull(requests);
        var page = new StringBuilder();
        foreach (var collection in CollectionCatalogue.Domain)
        {
            page.Append($"### {collection.Name}\n\n");
            page.Append("| Field | Code | Limit | Sentence | Requests | MongoDB | DocumentDB |\n| --- | --- | --- | --- | --- | --- | --- |\n");
            foreach (var rule in collection.Rules.Fields)
            {
                var followed = requests.Where(request => request.Origin is not null && request.Origin == rule.Origin);
                Append(page, collection, rule.Path, rule.Code, rule.Limit, rule.Sentence, followed, EngineSupport.MongoDbKeywords.Contains(rule.Code));
            }

            foreach (var rule in collection.Rules.CrossField)
            {
                var followed = requests.Where(request => request.CrossFieldCode == rule.Code && request.Origin is null);
                Append(page, collection, rule.Path, rule.Code, $"with {string.Join(", ", rule.With)}", rule.Sentence, followed, onMongoDb: true);
            }

            page.Append('\n');
        }

        return page.ToString();
    }

    private static void Append(
        StringBuilder page, CollectionDefinition collection, string path, string code, string limit, string sentence, IEnumerable<RequestRule> followed,
        bool onMongoDb)
    {
        var requests = string.Join(", ", followed.Select(request => $"{request.Request}.{request.Member}"));
        page.Append($"| {path} | {code} | {(limit.Length == 0 ? "" : $"`{limit.Replace("|", "\\|", StringComparison.Ordinal)}`")} | {sentence} | {requests} ");
        var kept = EngineSupport.CannotBeBroken.Any(exception => exception.Covers(collection.Name, path, code));
        var gap = EngineSupport.NotOnDocumentDb.FirstOrDefault(exception => exception.Covers(collection.Name, path, code));
        var nowhere = EngineSupport.WhyUnchecked(collection) is { } reason ? $"no: {reason}" : null;
        page.Append($"| {(kept ? "always kept" : nowhere ?? (onMongoDb ? "yes" : "no"))} ");
        page.Append($"| {(kept ? "always kept" : nowhere ?? (gap is null ? "yes" : $"no: {gap.Reason}"))} |\n");
    }
}

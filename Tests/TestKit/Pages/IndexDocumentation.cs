using System.Globalization;
using System.Text;
using Platform.Data.Catalogue;

namespace Platform.Tests.TestKit.Pages;

/// <summary>Writes the catalogue's indexes and the queries that they serve as Markdown, for the page <c>docs/indexes.md</c>.</summary>
internal static class IndexDocumentation
{
    /// <summary>One section per collection: its indexes with their reasons, and the queries of each.</summary>
    /// <returns>Markdown with line feeds as line ends.</returns>
    public static string Render()
    {
        var page = new StringBuilder();
        foreach (var collection in CollectionCatalogue.All)
        {
            page.Append($"### {collection.Name}\n\n");
            if (collection.TimeSeries is { } series)
            {
                page.Append(
                    $"A time series by `{series.TimeField}` for each `{series.MetaField}`, in {series.Granularity}; documents expire after "
                        + $"{Days(series.ExpireAfter)}.\n\n");
            }

            var indexes = collection.IndexesFor(ServerKind.MongoDb, isTimeSeries: false);
            page.Append(
                indexes.Count == 0 ? "None but that of `_id`.\n" : "| Index | Keys | Options | Bytes per document | Why |\n| --- | --- | --- | --- | --- |\n");
            foreach (var index in indexes)
            {
                Row(page, index, server: null);
                foreach (var server in index.Variants.Keys.Order())
                {
                    Row(page, index.On(server), server);
                }
            }

            page.Append('\n');
            Queries(page, collection, "_id_", collection.KeyQueries);
            foreach (var index in indexes)
            {
                Queries(page, collection, index.Name, index.Queries);
            }
        }

        return page.ToString();
    }

    private static void Row(StringBuilder page, IndexDefinition index, ServerKind? server)
    {
        var place = server is null ? "" : $"In its place on {(server == ServerKind.DocumentDb ? "DocumentDB" : "MongoDB")}. ";
        var why = index.TenantException is null ? index.Serves : $"{index.Serves} *{index.TenantException}*";
        page.Append($"| `{index.Name}` | `{Cell(QueryShape.Text(index.KeyDocument()))}` | {Options(index)} | {index.BytesPerDocument} | {place}{why} |\n");
    }

    private static void Queries(StringBuilder page, CollectionDefinition collection, string index, IReadOnlyList<QueryShape> queries)
    {
        foreach (var query in queries)
        {
            var command = query.Example(collection.DocumentType);
            page.Append($"- **{query.Name}** (`{index}`). {query.Asks}");
            if (query.BoundReason is not null)
            {
                page.Append($" {query.BoundReason}");
            }

            page.Append($"\n  `{Cell(QueryShape.Text(QueryShape.FilterOf(command)))}`");
            if (QueryShape.SortOf(command) is { } sort)
            {
                page.Append($" sorted by `{QueryShape.Text(sort)}`");
            }

            if (QueryShape.ProjectionOf(command) is { } projection)
            {
                page.Append($" of which `{QueryShape.Text(projection)}`");
            }

            page.Append('\n');
        }

        if (queries.Count > 0)
        {
            page.Append('\n');
        }
    }

    private static string Options(IndexDefinition index)
    {
        var options = new List<string>();
        if (index.Unique)
        {
            options.Add("unique");
        }

        if (index.PartialFilter is not null)
        {
            options.Add($"only `{QueryShape.Text(index.PartialFilter)}`");
        }

        if (index.ExpireAfter is { } lifetime)
        {
            options.Add($"expires after {Days(lifetime)}");
        }

        if (index.IsText)
        {
            options.Add("weights " + string.Join(", ", index.Keys.Where(key => key.Kind == IndexKind.Text).Select(key => $"{key.Field} {key.Weight}")));
        }

        return string.Join(", ", options);
    }

    private static string Days(TimeSpan span) => string.Create(CultureInfo.InvariantCulture, $"{span.TotalDays:0} days");

    private static string Cell(string text) => text.Replace("|", "\\|", StringComparison.Ordinal);
}

using System.Globalization;

namespace Platform.Gateway.ChangeStreams;

/// <summary>A table of which rows are streamed.</summary>
internal sealed class PgRelation
{
    /// <summary>A table that means nothing here.</summary>
    public static readonly PgRelation Unknown = new() { Columns = [] };

    private const string Documents = "documents_";

    /// <summary>What its rows are.</summary>
    public PgRelationKind Kind { get; private init; }

    /// <summary>The backend's number of the collection whose documents are in it.</summary>
    public long Collection { get; private init; }

    /// <summary>The names of its columns.</summary>
    public required IReadOnlyList<string> Columns { get; init; }

    /// <summary>The column with the document's key, <c>{"": _id}</c>.</summary>
    public int Key { get; private init; }

    /// <summary>The column with the document.</summary>
    public int Document { get; private init; }

    /// <summary>Recognises a table by its name.</summary>
    public static PgRelation Of(string schema, string name, string[] columns)
    {
        var kind = PgRelationKind.Other;
        var collection = 0L;
        if (schema == "documentdb_data" && name.StartsWith(Documents, StringComparison.Ordinal)
            && long.TryParse(name.AsSpan(Documents.Length), NumberStyles.None, CultureInfo.InvariantCulture, out collection))
        {
            kind = PgRelationKind.Documents;
        }
        else
        {
            kind = (schema, name) switch
            {
                ("documentdb_api_catalog", "collections") => PgRelationKind.Collections,
                ("documentdb_api_catalog", "collection_indexes") => PgRelationKind.Indexes,
                ("platform_gateway", "collection_options") => PgRelationKind.Options,
                _ => PgRelationKind.Other,
            };
        }

        return new PgRelation
        {
            Kind = kind,
            Collection = collection,
            Columns = columns,
            Key = Array.IndexOf(columns, "object_id"),
            Document = Array.IndexOf(columns, "document"),
        };
    }

    /// <summary>The place of a column; -1 when there is none of this name.</summary>
    public int Column(string name)
    {
        for (var i = 0; i < Columns.Count; i++)
        {
            if (Columns[i] == name)
            {
                return i;
            }
        }

        return -1;
    }
}

using MongoDB.Bson;
using MongoDB.Bson.IO;
using MongoDB.Bson.Serialization;

namespace Platform.Data.Catalogue;

/// <summary>One question that is asked of a collection: a filter, a sort, a projection, and what they are good for.</summary>
public sealed record QueryShape
{
    private static readonly JsonWriterSettings s_json = new() { OutputMode = JsonOutputMode.Shell };

    /// <summary>A name for people, unique in the collection.</summary>
    public required string Name { get; init; }

    /// <summary>Who asks, in one sentence.</summary>
    public required string Asks { get; init; }

    /// <summary>
    /// The command as the driver sends it, made of a stored document: the question for that document, its list, its
    /// neighbours. Reads values of the document and does not calculate with them, so that names can stand in their place.
    /// </summary>
    public required Func<BsonDocument, BsonDocument> Command { get; init; }

    /// <summary>How much may be read for what is returned. Default: <see cref="QueryBound.Exact"/>.</summary>
    public QueryBound Bound { get; init; }

    /// <summary>Why more is read than returned; null when it is not.</summary>
    public string? BoundReason { get; init; }

    /// <summary>The command with the names of fields in place of their values.</summary>
    /// <param name="documentType">The type of the collection's documents.</param>
    public BsonDocument Example(Type documentType)
    {
        ArgumentNullException.ThrowIfNull(documentType);
        return Command(new BsonDocument(BsonClassMap.LookupClassMap(documentType).AllMemberMaps
            .Select(member => new BsonElement(member.ElementName, $"<{member.ElementName}>"))));
    }

    /// <summary>The filter of a command: of a find, of a count, or the first stage of a pipeline.</summary>
    /// <param name="command">A command of a shape.</param>
    public static BsonDocument FilterOf(BsonDocument command)
    {
        ArgumentNullException.ThrowIfNull(command);
        if (command.TryGetValue("filter", out var filter) || command.TryGetValue("query", out filter))
        {
            return filter.AsBsonDocument;
        }

        var first = command["pipeline"].AsBsonArray[0].AsBsonDocument;
        return first.TryGetValue("$geoNear", out var near) ? near["query"].AsBsonDocument : first["$match"].AsBsonDocument;
    }

    /// <summary>The sort of a command; null when it has none.</summary>
    /// <param name="command">A command of a shape.</param>
    public static BsonDocument? SortOf(BsonDocument command)
    {
        ArgumentNullException.ThrowIfNull(command);
        return command.TryGetValue("sort", out var sort) ? sort.AsBsonDocument
            : command.TryGetValue("pipeline", out var pipeline)
                ? pipeline.AsBsonArray.FirstOrDefault(stage => stage.AsBsonDocument.Contains("$sort"))?["$sort"].AsBsonDocument
            : null;
    }

    /// <summary>The projection of a command; null when whole documents are returned.</summary>
    /// <param name="command">A command of a shape.</param>
    public static BsonDocument? ProjectionOf(BsonDocument command)
    {
        ArgumentNullException.ThrowIfNull(command);
        return command.TryGetValue("projection", out var projection) ? projection.AsBsonDocument : null;
    }

    /// <summary>A document as a shell takes it.</summary>
    /// <param name="document">The document.</param>
    public static string Text(BsonDocument document) => document.ToJson(s_json);
}

using MongoDB.Bson;

namespace Platform.Data.Catalogue;

/// <summary>What a view shows.</summary>
/// <param name="On">The collection, or the view, that it reads.</param>
/// <param name="Pipeline">What becomes of its documents.</param>
/// <remarks><see href="https://www.mongodb.com/docs/manual/core/views/"/></remarks>
public sealed record ViewDefinition(string On, IReadOnlyList<BsonDocument> Pipeline);

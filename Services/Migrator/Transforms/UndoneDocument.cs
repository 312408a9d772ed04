using MongoDB.Bson;

namespace Platform.Migrator.Transforms;

/// <summary>A document that a transform could not rewrite.</summary>
/// <param name="Id">Its key.</param>
/// <param name="Reason">Why.</param>
public sealed record UndoneDocument(BsonValue Id, string Reason);

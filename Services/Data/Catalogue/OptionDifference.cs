using MongoDB.Bson;

namespace Platform.Data.Catalogue;

/// <summary>One option of a collection that is not as declared.</summary>
/// <param name="Option">Its name as <c>listCollections</c> has it; <c>type</c> for the kind of collection, and dotted within <c>timeseries</c>.</param>
/// <param name="Declared">What is declared; null for an option that is not.</param>
/// <param name="Existing">What the server has; null when it has no such option.</param>
public sealed record OptionDifference(string Option, BsonValue Declared, BsonValue Existing);

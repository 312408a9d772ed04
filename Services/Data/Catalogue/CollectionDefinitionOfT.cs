namespace Platform.Data.Catalogue;

/// <summary>A collection of documents of one type.</summary>
/// <typeparam name="TDocument">The type of its documents.</typeparam>
public sealed class CollectionDefinition<TDocument>() : CollectionDefinition(typeof(TDocument));

using Aspire.Hosting.ApplicationModel;

namespace Aspire.Hosting.MongoDB;

/// <summary>Mongo Express, a web client of a MongoDB server, in a container.</summary>
/// <param name="name">The name.</param>
public sealed class MongoExpressContainerResource(string name) : ContainerResource(name);

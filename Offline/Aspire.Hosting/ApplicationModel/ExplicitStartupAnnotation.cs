namespace Aspire.Hosting.ApplicationModel;

/// <summary>The resource starts only when a user asks for it.</summary>
public sealed class ExplicitStartupAnnotation : IResourceAnnotation;

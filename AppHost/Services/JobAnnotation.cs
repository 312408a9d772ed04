namespace Platform.AppHost.Services;

/// <summary>Marks a resource as a job: a program that does one thing and ends.</summary>
internal sealed class JobAnnotation : IResourceAnnotation;

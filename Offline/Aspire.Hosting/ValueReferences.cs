using Aspire.Hosting.ApplicationModel;

namespace Aspire.Hosting;

/// <summary>Walks from a value to the resources that it is made of.</summary>
internal static class ValueReferences
{
    public static IEnumerable<IResource> Resources(object? value)
    {
        switch (value)
        {
            case IResourceBuilder<IResource> builder:
                yield return builder.Resource;
                break;
            case IResource resource:
                yield return resource;
                break;
            case IValueWithReferences composite:
                foreach (var resource in composite.References.SelectMany(Resources).Distinct())
                {
                    yield return resource;
                }

                break;
        }
    }
}
